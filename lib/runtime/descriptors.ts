import { readFileSync } from "node:fs";

/** Descriptors that are left to files, timers and whatever else is not a connection. */
const RESERVE = 64;

/**
 * How many sockets may be open at a time, from the system's limit on open files; no limit where it does not tell.
 * Bun spins on a listener whose connections it has no descriptor for, so it must never come to that.
 */
export function mostSockets(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? Infinity : Math.max(1, Number(soft) - RESERVE);
  } catch {
    return Infinity;
  }
}
