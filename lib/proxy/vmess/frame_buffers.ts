/** Memory for bytes on their way, reused where it is large. */

/** Buffers up to this size are allocated, larger ones pooled. Bytes. */
const SMALL = 4096;
/** A pooled buffer: a read of 128 KiB fits as chunks with a header, or as text behind a chunk that was cut. */
const BIG = 160 << 10;
/** Buffers kept for the next one who needs them. */
const KEPT = 16;

const spare: Uint8Array[] = [];

/** A buffer that is taken, used and given back again and again. */
export class FrameBuffer {
  #buffer: Uint8Array | null = null;

  /** Bytes that `take` gives of so many at most. */
  static most(length: number): number {
    return Math.min(length, BIG);
  }

  /** At least so many bytes. What was taken before must be given back first. */
  take(length: number): Uint8Array {
    if (length <= SMALL || length > BIG) return new Uint8Array(length);
    return this.#buffer = spare.pop() ?? new Uint8Array(BIG);
  }

  /** Nobody looks at it any more. */
  release(): void {
    if (this.#buffer !== null && spare.length < KEPT) spare.push(this.#buffer);
    this.#buffer = null;
  }

  /** Somebody may still look at it: it is left to the garbage collector. */
  discard(): void {
    this.#buffer = null;
  }
}
