import type { Relay } from "./relays.ts";

/** A figure's heading, and which way is better; neither: it is not compared. */
export interface Metric {
  name: string;
  better?: "more" | "less";
  digits: number;
}

/** What one run of a case found, in the order of the case's metrics. */
export type Figures = number[];

/** What a case is given to work with. */
export interface Workplace {
  /** The load generator. */
  load: string;
  /** Debian's v2ray, for the programs beside the relay; null where there is none. */
  v2ray: string | null;
  /** Payload of one run in bytes, over all connections; null: the case knows what is enough. */
  bytes: number | null;
  /** Little of everything: one look, no measurement to be proud of. */
  quick: boolean;
}

/** One kind of work. To add one, write a file in cases/ and name it in cases/all.ts. */
export interface Case {
  name: string;
  metrics: readonly Metric[];
  /** Left out when a quick look is wanted. */
  slow?: boolean;
  /** Much of the work is encryption, so that a quick look includes the relays without libcrypto. */
  encrypts?: boolean;
  /** A v2ray stands beside the relay. */
  needsV2ray?: boolean;
  /** Whether that relay can do it at all. */
  fits(relay: Relay): boolean;
  /** One run, with a relay started for it alone. */
  measure(relay: Relay, workplace: Workplace): Promise<Figures>;
}

/** Relays that speak nothing but MTProto take part in the MTProto cases alone. */
export function readsConfig(relay: Relay): boolean {
  return relay.kind !== "peer";
}
