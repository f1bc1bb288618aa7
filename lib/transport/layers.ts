import type { Dial } from "../stream/types.ts";

/** What an outbound puts around its lowest dial. */
export interface Layers {
  /** Wraps a dial; the result opens streams that have the layers on them. */
  around(lowest: Dial): Dial;
  /** Whether a layer hides what passes. */
  readonly encrypts: boolean;
}

/** `network: "tcp"` without `security`: the stream as it is. */
export const plainLayers: Layers = { around: (lowest) => lowest, encrypts: false };
