import { DIGEST_WORDS } from "../stream/digest_table.ts";

/**
 * What is one for all routers of a process, each in a thread of its own: plain memory, which is posted to threads as it
 * is. A process with one router has the same in memory of its own.
 */
export interface ProcessMemory {
  /** Routers that share it. */
  readonly routers: number;
  /** Whatever is in COUNTERS. */
  readonly counters: Int32Array;
  /** Of the DigestTable. */
  readonly digests: Int32Array;
}

/**
 * Where each number lies in `counters`, all zero at first. What a status page adds up over all routers is to be a line
 * here; totals that outgrow 32 bits are to lie in memory of their own beside `digests`.
 */
export const COUNTERS = {
  /** Sessions so far. */
  sessions: 0,
  /** What was said about this gateway's clock: two flags of GatewayClock. */
  clock: 1,
  /** Open sockets: two numbers of the runtime. */
  sockets: 3,
} as const;

const COUNTER_WORDS = 5;

/** Memory for a process with so many routers. */
export function createMemory(routers: number): ProcessMemory {
  const words = (count: number) =>
    routers === 1
      ? new Int32Array(count)
      : new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  return { routers, counters: words(COUNTER_WORDS), digests: words(DIGEST_WORDS) };
}
