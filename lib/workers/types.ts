import type { ConfigFile } from "../config/load.ts";
import type { ErrorCode } from "../errors.ts";
import type { ProcessMemory } from "../shared/memory.ts";

/** What the main thread tells a worker to do, in this order. */
export type Order =
  /** Read the config and build everything. */
  | { kind: "prepare"; files: readonly ConfigFile[]; memory: ProcessMemory }
  /** Take connections, where the first router has bound its ports. */
  | { kind: "listen"; ports: readonly number[] }
  /** End as `App.stop` does. */
  | { kind: "stop" };

/** What a worker says: that it is there, that an order is done, or that it is of no use any more. */
export type Report =
  | { kind: "ready" }
  | { kind: "prepared"; router: RouterDescription }
  | { kind: "listening" }
  | { kind: "stopped" }
  | Failure;

export interface Failure {
  kind: "failed";
  /** Absent where it was not an error of ours. */
  code?: ErrorCode;
  /** In one line. */
  message: string;
  stack?: string;
}

/** What a router runs on, for `mtray version --verbose`. */
export interface RouterDescription {
  /** "deno 2.9.6" */
  runtime: string;
  ciphers: string;
}
