/** Calls `feed` with the bytes cut in two at every position, and once byte by byte. */
export function eachSplit(bytes: Uint8Array, feed: (pieces: Uint8Array[]) => void): void {
  for (let cut = 0; cut <= bytes.length; cut++) {
    feed([bytes.slice(0, cut), bytes.slice(cut)].filter((piece) => piece.length > 0));
  }
  feed(Array.from(bytes, (byte) => Uint8Array.of(byte)));
}

/** Bytes of lower-case hex. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
