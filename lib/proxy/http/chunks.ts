import { MtrayError } from "../../errors.ts";

/** The longest line between chunks that is taken, in bytes. */
const LONGEST_LINE = 4 << 10;

const LF = 10, CR = 13;

/** Finds the end of a chunked body (RFC 9112, 7.1) as it passes. */
export class Chunks {
  /** Whether the body has come to its end. */
  ended = false;
  /** What comes next: a line with a size, data and the line end behind it, or the lines after the last chunk. */
  #part: "size" | "data" | "trailer" = "size";
  /** Of data and its line end, in bytes. */
  #left = 0;
  #line = "";

  /**
   * @returns how many of the bytes belong to the body
   * @throws {MtrayError} `protocol` when they are no chunks
   */
  feed(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.ended) {
      if (this.#part === "data") {
        at += this.#skip(bytes, at);
        continue;
      }
      this.#line += String.fromCharCode(bytes[at]);
      if (this.#line.length > LONGEST_LINE) throw malformed("a line is too long");
      if (bytes[at++] === LF) this.#endLine();
    }
    return at;
  }

  /** Skips data; the two bytes behind it must be a line end. */
  #skip(bytes: Uint8Array, at: number): number {
    if (this.#left > 2) {
      const skipped = Math.min(this.#left - 2, bytes.length - at);
      this.#left -= skipped;
      return skipped;
    }
    if (bytes[at] !== (this.#left === 2 ? CR : LF)) throw malformed("a chunk is longer than it says");
    if (--this.#left === 0) this.#part = "size";
    return 1;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    if (!line.endsWith("\r\n")) throw malformed("a line has no end");
    if (this.#part === "trailer") {
      this.ended = line === "\r\n";
      return;
    }
    const size = /^([0-9a-f]{1,12})(?:[ \t]*;[^\r\n]*)?\r\n$/i.exec(line);
    if (size === null) throw malformed("a size is none");
    this.#left = parseInt(size[1], 16) + 2;
    this.#part = this.#left === 2 ? "trailer" : "data";
  }
}

function malformed(why: string): MtrayError {
  return new MtrayError("protocol", `cannot read the chunks: ${why}`);
}
