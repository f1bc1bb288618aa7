/** Memory for bytes on their way, reused where it is large. */

/** Buffers up to this size are allocated, larger ones pooled. Bytes. */
const SMALL = 4096;
/** Pooled buffers: for a read of 16 KiB, and for one of 256 KiB, as chunks or as text behind a chunk that was cut. */
const MIDDLE = 24 << 10, BIG = 320 << 10;
/** Buffers of each size kept for the next one who needs them. */
const KEPT = 16;

const middle: Uint8Array[] = [], big: Uint8Array[] = [];

/** A buffer that is taken, used and given back again and again. */
export class FrameBuffer {
  #buffer: Uint8Array | null = null;

  /** How much of so many bytes a pooled buffer holds. */
  static most(length: number): number {
    return Math.min(length, BIG);
  }

  /** At least so many bytes. What was taken before must be given back first. */
  take(length: number): Uint8Array {
    if (length <= SMALL || length > BIG) return new Uint8Array(length);
    return this.#buffer = length <= MIDDLE
      ? middle.pop() ?? new Uint8Array(MIDDLE)
      : big.pop() ?? new Uint8Array(BIG);
  }

  /** Nobody looks at it any more. */
  release(): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    this.#buffer = null;
    const spare = buffer.length === BIG ? big : middle;
    if (spare.length < KEPT) spare.push(buffer);
  }

  /** Somebody may still look at it: it is left to the garbage collector. */
  discard(): void {
    this.#buffer = null;
  }
}
