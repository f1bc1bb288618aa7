import { LIBRARIES, openLibrary } from "./ffi.ts";
import { readTextFile } from "./files.ts";

/** Descriptors that are left to files, timers and whatever else is not a connection. */
const RESERVE = 64;

/** What is open or being opened: connections and UDP sockets together, and UDP sockets alone. */
const OPEN = 0, OPEN_UDP = 1;
let counts = new Int32Array(2);
let most: number | undefined;

/** As of `Runtime`. Before anything is open. */
export function countIn(memory: Int32Array): void {
  counts = memory as typeof counts;
}

/** Counts a connection. @returns false where there are more than there may be */
export function countConnection(): boolean {
  most ??= mostSockets();
  return Atomics.add(counts, OPEN, 1) < most;
}

/** The connection is over. */
export function uncountConnection(): void {
  Atomics.sub(counts, OPEN, 1);
}

/**
 * Counts a UDP socket, of which there may be half as many as sockets altogether: anybody can send from many addresses,
 * and connections must still find a descriptor.
 *
 * @returns false, and nothing is counted, where there are too many
 */
export function countUdp(): boolean {
  most ??= mostSockets();
  if (Atomics.add(counts, OPEN_UDP, 1) >= most / 2) {
    Atomics.sub(counts, OPEN_UDP, 1);
    return false;
  }
  Atomics.add(counts, OPEN, 1);
  return true;
}

/** The UDP socket is closed. */
export function uncountUdp(): void {
  Atomics.sub(counts, OPEN_UDP, 1);
  Atomics.sub(counts, OPEN, 1);
}

/**
 * How many sockets may be open at a time, from the system's limit on open files; no limit where it does not tell.
 * Bun spins on a listener whose connections it has no descriptor for, so it must never come to that.
 */
export function mostSockets(): number {
  const soft = asked() ?? read();
  return soft === null ? Infinity : Math.max(1, soft - RESERVE);
}

/** Linux: the number of the limit on open files. */
const RLIMIT_NOFILE = 7;

/** The system's own answer. Deno reads nothing below /proc without all permissions. */
function asked(): number | null {
  for (const file of LIBRARIES) {
    const libc = openLibrary(file, {
      getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    });
    if (libc === null) continue;
    const limits = new BigUint64Array(2);
    if (libc.getrlimit(RLIMIT_NOFILE, new Uint8Array(limits.buffer)) !== 0) return null;
    return Number(limits[0]);
  }
  return null;
}

function read(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readTextFile("/proc/self/limits"))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
