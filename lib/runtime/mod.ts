import process from "node:process";
import { MtrayError } from "../errors.ts";
import type { ByteStream, DialOptions, KeepAlive, Target } from "../stream/types.ts";
import { textOf } from "./address.ts";
import * as onBun from "./bun.ts";
import { bun } from "./bun_globals.ts";
import { BunStream } from "./bun_stream.ts";
import { dialPackets, openPackets } from "./datagrams.ts";
import { mostSockets } from "./descriptors.ts";
import * as onDeno from "./deno.ts";
import { DenoStream } from "./deno_stream.ts";
import { canSetOptions, setKeepAlive } from "./keep_alive.ts";
import { acceptTls, startTls } from "./tls.ts";
import { systemRoots } from "./tls_context.ts";
import type { Runtime } from "./types.ts";

const isBun = "Bun" in globalThis;
const adapter = isBun ? onBun : onDeno;

/** The runtime that this program runs on. */
export const runtime: Runtime = {
  name: isBun ? "bun" : "deno",
  version: adapter.version(),
  mostSockets: mostSockets(),
  // import.meta.main and worker_threads.isMainThread say the wrong thing in one form of the program or another.
  isMainThread: isBun ? bun().isMainThread : !("WorkerGlobalScope" in globalThis),
  args: process.argv.slice(2),

  async listen(at, accept) {
    try {
      return await adapter.listen(at, accept);
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
  exit: (code) => process.exit(code),
};

/** A stream that is no socket has no such options, and loses nothing. */
function keepAlive(stream: ByteStream, options: KeepAlive): void {
  const descriptor = stream instanceof DenoStream || stream instanceof BunStream ? stream.descriptor : null;
  if (canSetOptions() && descriptor !== null) setKeepAlive(descriptor, options);
  else if (stream instanceof BunStream && options.idle !== undefined) stream.askAfter(options.idle);
}

/** Calls back when the system asks the program to end. */
export function onStop(callback: (signal: string) => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => callback(signal));
}

/** Whether a person probably reads what is printed. */
export function stdoutIsTerminal(): boolean {
  return process.stdout.isTTY === true;
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
