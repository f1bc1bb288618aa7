import type { Relay } from "./relay.ts";

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
  /** Payload of one run in bytes, over all connections. */
  bytes: number;
}

/** One kind of work. To add one, write a file in cases/ and name it in cases/all.ts. */
export interface Case {
  name: string;
  metrics: readonly Metric[];
  /** Left out when a quick look is wanted. */
  slow?: boolean;
  /** Whether that relay can do it at all. */
  fits(relay: Relay): boolean;
  /** One run, with a relay started for it alone. */
  measure(relay: Relay, workplace: Workplace): Promise<Figures>;
}
