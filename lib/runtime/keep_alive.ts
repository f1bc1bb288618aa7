import type { KeepAlive } from "../stream/types.ts";
import { type FfiFunction, LIBRARIES, openLibrary } from "./ffi.ts";

/** Linux: levels and options of setsockopt. */
const SOL_SOCKET = 1, SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5;

let setsockopt: FfiFunction | null | undefined;

function library(): FfiFunction | null {
  if (setsockopt !== undefined) return setsockopt;
  for (const file of LIBRARIES) {
    const found = openLibrary(file, {
      setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "i32"], result: "i32" },
    });
    if (found !== null) return setsockopt = found.setsockopt;
  }
  return setsockopt = null;
}

/** Whether socket options can be set here: no runtime has calls of its own for all of these. */
export function canSetOptions(): boolean {
  return library() !== null;
}

/** Sets when the system asks a silent peer. Does nothing where the C library cannot be called. */
export function setKeepAlive(descriptor: number, { idle, interval }: KeepAlive): void {
  const call = library();
  if (call === null) return;
  const set = (level: number, option: number, value: number) =>
    call(descriptor, level, option, new Uint8Array(Int32Array.of(value).buffer), 4);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  if (idle !== undefined) set(IPPROTO_TCP, TCP_KEEPIDLE, idle);
  if (interval !== undefined) set(IPPROTO_TCP, TCP_KEEPINTVL, interval);
}
