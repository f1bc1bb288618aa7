import { ROOM } from "../../../stream/types.ts";

/** Bytes that are allocated at a time for a reader that lags behind, at most. */
const MOST_BLOCK = 64 << 10;

interface Block {
  /** With ROOM unused bytes in front. */
  bytes: Uint8Array;
  used: number;
}

/** Bytes that wait for a reader. It copies what it is given, and joins small pieces, so that they cost what they hold. */
export class ByteQueue {
  readonly #blocks: Block[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    const last = this.#blocks.at(-1);
    let rest = bytes;
    if (last !== undefined) {
      const part = rest.subarray(0, last.bytes.length - last.used - ROOM);
      last.bytes.set(part, ROOM + last.used);
      last.used += part.length;
      rest = rest.subarray(part.length);
    }
    if (rest.length > 0) {
      // As much again as there is already: few blocks for many pieces, and never twice what is needed.
      const size = Math.max(rest.length, Math.min(this.#length, MOST_BLOCK));
      const block = { bytes: new Uint8Array(ROOM + size), used: rest.length };
      block.bytes.set(rest, ROOM);
      this.#blocks.push(block);
    }
    this.#length += bytes.length;
  }

  /** The oldest bytes, with ROOM writable bytes in front of them; they are the caller's own. Empty: there are none. */
  take(): Uint8Array {
    const block = this.#blocks.shift();
    if (block === undefined) return new Uint8Array(ROOM).subarray(ROOM);
    this.#length -= block.used;
    return block.bytes.subarray(ROOM, ROOM + block.used);
  }
}
