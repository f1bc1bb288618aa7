/**
 * Bytes that both ends can compute for themselves. Their period is a prime, so that bytes lost or repeated in
 * blocks of a usual size never look right.
 */
const PERIOD = 65_521;

const table = makeTable();

function makeTable(): Uint8Array {
  const bytes = new Uint8Array(2 * PERIOD);
  let state = 0x9e3779b9;
  for (let i = 0; i < PERIOD; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 24;
  }
  bytes.copyWithin(PERIOD, 0, PERIOD);
  return bytes;
}

/** `length` bytes of the pattern from `offset` on. Different seeds are different places in the same sequence. */
export function pattern(offset: number, length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const start = (offset + at + seed * 7919) % PERIOD;
    const part = table.subarray(start, start + Math.min(PERIOD, length - at));
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Compares a stream of bytes with the pattern. */
export class PatternCheck {
  /** How many bytes were right so far. */
  length = 0;

  constructor(readonly seed = 0) {}

  /** Throws at the first byte that differs. */
  push(bytes: Uint8Array): void {
    const expected = pattern(this.length, bytes.length, this.seed);
    const wrong = bytes.findIndex((byte, i) => byte !== expected[i]);
    if (wrong >= 0) {
      throw new Error(`cannot accept bytes: the one at ${this.length + wrong} differs from the pattern`);
    }
    this.length += bytes.length;
  }
}
