import type { Runtime } from "../runtime/types.ts";
import type { Accepted, Dial } from "../stream/types.ts";
import type { TransportSettings } from "./types.ts";

/** What an outbound puts around its lowest dial. */
export interface Layers {
  /** Wraps a dial; the result opens streams that have the layers on them. */
  around(lowest: Dial): Dial;
  /** Whether a layer hides what passes. */
  readonly encrypts: boolean;
}

/** What an inbound takes off a connection before its protocol begins. */
export interface InboundLayers {
  /**
   * The connection as the protocol sees it. It rejects when the client does not do its part, and then the stream is
   * left to the caller.
   */
  accept(accepted: Accepted, signal: AbortSignal): Promise<Accepted>;
}

/** `network: "tcp"` without `security`: the stream as it is. */
export const plainLayers: Layers = { around: (lowest) => lowest, encrypts: false };

/**
 * The layers of an outbound.
 *
 * @param tlsOnly for an outbound whose transport does not run over its chain: TLS does all the same
 */
export function outboundLayers(_settings: TransportSettings, _runtime: Runtime, _tlsOnly: boolean): Layers {
  return plainLayers;
}

/** The layers of an inbound, or null where its connections are as they come. */
export function inboundLayers(_settings: TransportSettings, _runtime: Runtime): InboundLayers | null {
  return null;
}
