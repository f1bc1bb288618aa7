import { ROOM } from "../stream/types.ts";

/** Bytes that a waiting connection holds. Most waiting connections carry chats; a short message fits. */
const SMALL = 1024;
/** Bytes of a pooled buffer for connections that have much to read. Smaller ones cost more system calls. */
const BIG = 256 << 10;
/** What those get for whom no big buffer is left: whoever sends and waits may hold them all. Never kept. */
const MIDDLE = 16 << 10;
/** A read shorter than this part gives a buffer back: whoever reads so little may well be waiting next. */
const BACK = 1 / 8;
/** At most this many big buffers are in use (32 MiB). */
const MOST = 128;
/** Buffers kept for the next one who needs them. */
const KEPT = 32;

const spare: Uint8Array<ArrayBuffer>[] = [];
let inUse = 0;

/**
 * A read buffer that is small while its connection waits and big while it flows. ROOM bytes in front of every read
 * stay free for whoever puts a header before the bytes.
 */
export class ReadBuffer {
  readonly #small = new Uint8Array(ROOM + SMALL);
  #buffer = this.#small;
  #last = 0;

  /** Where the next read goes. Overwrites what the last one brought. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#buffer === this.#small) {
      if (this.#last === SMALL && inUse < MOST) {
        inUse++;
        this.#buffer = spare.pop() ?? new Uint8Array(ROOM + BIG);
      } else if (this.#last === SMALL) {
        this.#buffer = new Uint8Array(ROOM + MIDDLE);
      }
    } else if (this.#last < (this.#buffer.length - ROOM) * BACK) {
      this.release();
    }
    return this.#buffer.subarray(ROOM);
  }

  /** Tells how many bytes the read brought. */
  filled(length: number): void {
    this.#last = length;
  }

  /** What the last read brought, with ROOM writable bytes in front of it. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(ROOM, ROOM + this.#last);
  }

  /** Gives a big buffer back; only when nobody looks at its bytes any more. */
  release(): void {
    if (this.#buffer === this.#small) return;
    if (this.#isBig && spare.length < KEPT) spare.push(this.#buffer);
    this.discard();
  }

  /** The same in the middle of a read or of a write of these bytes: nobody else may get the buffer then. */
  discard(): void {
    if (this.#buffer === this.#small) return;
    if (this.#isBig) inUse--;
    this.#buffer = this.#small;
    this.#last = 0;
  }

  get #isBig(): boolean {
    return this.#buffer.length === ROOM + BIG;
  }
}
