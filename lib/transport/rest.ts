import { cipherStream } from "../stream/cipher_stream.ts";
import type { ByteStream } from "../stream/types.ts";

/** A stream that begins with what a handshake read too far. */
export function withFirst(stream: ByteStream, first: Uint8Array | undefined): ByteStream {
  return first === undefined || first.length === 0
    ? stream
    : cipherStream(stream, { reading: null, writing: null, first });
}

/** What is still read of somebody who was sent away, in bytes. */
const MOST = 64 << 10;

/**
 * Says a last word, and reads until the other side ends: closing over what it still sends would be a reset, which may
 * overtake the word.
 */
export async function sendAway(stream: ByteStream, word: Uint8Array): Promise<void> {
  await stream.write(word);
  await stream.closeWrite();
  for (let left = MOST; left > 0 && await stream.ready();) left -= stream.take().length;
}
