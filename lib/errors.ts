/**
 * Why something ended. Code branches on these and on nothing else; messages are for people.
 *
 * - `usage`        the command line is not understood (exit code 2)
 * - `config`       the configuration is wrong (exit code 23)
 * - `start`        the program could not start, for example a port is taken (exit code 1)
 * - `closed`       the stream was closed, by us or by a peer that vanished
 * - `reset`        the peer aborted the connection
 * - `timed-out`    a deadline passed
 * - `unreachable`  no connection could be made
 * - `refused`      the next hop's own protocol said no
 * - `blocked`      a rule sent it to blackhole
 * - `unknown-data-centre`  no address is known for it
 * - `protocol`     the peer's bytes make no sense
 * - `unsupported`  this runtime or this outbound cannot do that
 * - `stopped`      the program is stopping
 */
export type ErrorCode =
  | "usage"
  | "config"
  | "start"
  | "closed"
  | "reset"
  | "timed-out"
  | "unreachable"
  | "refused"
  | "blocked"
  | "unknown-data-centre"
  | "protocol"
  | "unsupported"
  | "stopped";

/** Every error that mtray raises on purpose. Messages read "cannot <do> <what>: <why>" and never hold a secret. */
export class MtrayError extends Error {
  override name = "MtrayError";
  constructor(readonly code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** The code of any thrown value; what is not ours is a stream that broke. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof MtrayError ? error.code : "closed";
}

/** One line for a log: the message and, where it adds something, the chain of causes. */
export function describe(error: unknown): string {
  const parts: string[] = [];
  for (let e: unknown = error; e !== undefined && e !== null && parts.length < 5;) {
    const text = e instanceof Error ? e.message : String(e);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    e = e instanceof Error ? e.cause : undefined;
  }
  return parts.join(": ");
}
