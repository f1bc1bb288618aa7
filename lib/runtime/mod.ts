import { MtrayError } from "../errors.ts";
import type { ByteStream, DialOptions, KeepAlive, Target } from "../stream/types.ts";
import { textOf } from "./address.ts";
import * as onBun from "./bun.ts";
import { bun } from "./bun_globals.ts";
import { BunStream } from "./bun_stream.ts";
import { dialPackets, openPackets } from "./datagrams.ts";
import { countIn, mostSockets } from "./descriptors.ts";
import * as onDeno from "./deno.ts";
import { DenoStream } from "./deno_stream.ts";
import { canSetOptions, setKeepAlive } from "./keep_alive.ts";
import { exit, programArguments } from "./process.ts";
import { acceptTls, startTls } from "./tls.ts";
import { startThread as startThreadOf, type Thread, type ThreadListener } from "./threads.ts";
import { systemRoots } from "./tls_context.ts";
import type { Runtime } from "./types.ts";

const isBun = "Bun" in globalThis;
const adapter = isBun ? onBun : onDeno;

/** The runtime that this program runs on. */
export const runtime: Runtime = {
  name: isBun ? "bun" : "deno",
  version: adapter.version(),
  get mostSockets() {
    return mostSockets();
  },
  // import.meta.main and worker_threads.isMainThread say the wrong thing in one form of the program or another.
  isMainThread: isBun ? bun().isMainThread : !("WorkerGlobalScope" in globalThis),
  cannotShare: adapter.cannotShare(),
  sharesPackets: adapter.sharesPackets,
  args: programArguments(),

  async listen(at, accept) {
    try {
      if (at.share !== "first") return await adapter.listen(at, accept);
      return await adapter.listen({ ...at, port: adapter.tryPort(at) }, accept);
    } catch (error) {
      throw new MtrayError("start", `cannot listen on ${textOf(at)}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  },

  async dial(target: Target, options: DialOptions, signal: AbortSignal): Promise<ByteStream> {
    try {
      signal.throwIfAborted();
      const stream = await adapter.dial(target, options, signal);
      if (options.keepAlive !== undefined) keepAlive(stream, options.keepAlive);
      return stream;
    } catch (error) {
      const aborted = signal.aborted ? signal.reason : error;
      if (aborted instanceof MtrayError && aborted.code !== "timed-out") throw aborted;
      throw new MtrayError("unreachable", `cannot connect to ${textOf(target)}: ${reasonOf(aborted)}`);
    }
  },

  openPackets,
  dialPackets,
  startTls,
  acceptTls,
  systemRoots,
  keepAlive,
  get keepAliveParts() {
    const any = canSetOptions();
    return { idle: any || isBun, interval: any };
  },
  countIn,
  exit,
};

export { onStop, stdoutIsTerminal } from "./process.ts";
export { parentThread } from "./threads.ts";

/** Starts this program again in a thread. Threads cannot. */
export function startThread(listener: ThreadListener): Thread {
  return startThreadOf(adapter.program(), runtime.isMainThread, listener);
}

/** A stream that is no socket has no such options, and loses nothing. */
function keepAlive(stream: ByteStream, options: KeepAlive): void {
  const descriptor = stream instanceof DenoStream || stream instanceof BunStream ? stream.descriptor : null;
  if (canSetOptions() && descriptor !== null) setKeepAlive(descriptor, options);
  else if (stream instanceof BunStream && options.idle !== undefined) stream.askAfter(options.idle);
}

/** The system's reasons in words of ours; both runtimes spell them differently. */
function reasonOf(error: unknown): string {
  if (error instanceof MtrayError) return error.message;
  const text = error instanceof Error
    ? `${(error as { code?: string }).code ?? ""} ${error.name} ${error.message}`
    : "";
  const known: [RegExp, string][] = [
    [/EADDRINUSE|AddrInUse|address (already )?in use/i, "the port is taken by another program"],
    [/EADDRNOTAVAIL|AddrNotAvailable|not available/i, "this machine has no such address"],
    [/EACCES|PermissionDenied|NotCapable/i, "the system does not permit it (ports below 1024 need root)"],
    [/ECONNREFUSED|ConnectionRefused/i, "connection refused"],
    [/ENOTFOUND|EAI_|getaddrinfo|failed to lookup|dns|resolve/i, "the name has no address"],
    [/ENETUNREACH|EHOSTUNREACH|unreachable|no route/i, "no route to it"],
    [/ETIMEDOUT|TimedOut/i, "no answer"],
    [/EMFILE|ENFILE|too many open files/i, "too many open files"],
    [/ECONNRESET|ConnectionReset/i, "the connection was reset"],
  ];
  for (const [pattern, words] of known) if (pattern.test(text)) return words;
  return error instanceof Error ? error.message : String(error);
}
