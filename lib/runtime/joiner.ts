import type { ByteStream } from "../stream/types.ts";

/** Header and body up to this size are joined by copying; beyond it a copy costs more than a second system call. */
const JOINED = 64 << 10;

/** Sends two pieces, a short one first, as one write, for sockets that take one piece at a time. */
export async function writeJoined(stream: ByteStream, a: Uint8Array, b: Uint8Array): Promise<void> {
  const head = Math.min(b.length, Math.max(0, JOINED - a.length));
  const both = new Uint8Array(a.length + head);
  both.set(a);
  both.set(b.subarray(0, head), a.length);
  await stream.write(both);
  if (head < b.length) await stream.write(b.subarray(head));
}
