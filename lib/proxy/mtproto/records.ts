/**
 * TLS records around the bytes of a FakeTLS connection, once the hellos are exchanged. Nothing in them is TLS but
 * their headers: what they carry is encrypted by obfuscated2.
 */
import { MtrayError } from "../../errors.ts";
import type { ByteStream, timedOut } from "../../stream/types.ts";

const HEADER = 5;
const APPLICATION_DATA = 0x17, CHANGE_CIPHER_SPEC = 0x14;
/** What a full record of real TLS 1.3 carries: 16,384 bytes of data, a content type and a tag. */
export const MOST_OUT = 16_384 + 1 + 16;
/** What RFC 8446 allows at most; iOS has sent 16,408. */
export const MOST_IN = 16_384 + 256;

/** Takes record headers out of a stream of bytes. Works in place: the gaps that headers leave are closed. */
export class RecordReader {
  readonly #header = new Uint8Array(HEADER);
  #have = 0;
  /** Bytes that the current record still has. */
  #left = 0;
  #inData = false;
  /** A client may send ChangeCipherSpec once, before its first data. */
  #mayChangeCipher = true;

  /** @throws {MtrayError} `protocol`, when it is not what a Telegram client sends */
  update(bytes: Uint8Array): Uint8Array {
    let from = 0, to = 0;
    while (from < bytes.length) {
      if (this.#left === 0) {
        this.#header[this.#have++] = bytes[from++];
        if (this.#have === HEADER) this.#begin();
        continue;
      }
      const length = Math.min(this.#left, bytes.length - from);
      if (this.#inData) {
        if (to !== from) bytes.copyWithin(to, from, from + length);
        to += length;
      } else if (bytes[from] !== 1) {
        throw new MtrayError("protocol", "cannot read a TLS record: ChangeCipherSpec holds something else");
      }
      from += length;
      this.#left -= length;
    }
    return bytes.subarray(0, to);
  }

  #begin(): void {
    const [type, major, minor, high, low] = this.#header;
    const length = high << 8 | low;
    this.#have = 0;
    this.#left = length;
    this.#inData = type === APPLICATION_DATA;
    const data = this.#inData && length <= MOST_IN;
    const change = type === CHANGE_CIPHER_SPEC && length === 1 && this.#mayChangeCipher;
    if (major !== 3 || minor !== 3 || !(data || change)) {
      throw new MtrayError("protocol", `cannot read a TLS record: type ${type} with ${length} bytes`);
    }
    this.#mayChangeCipher = false;
  }
}

/** Bytes that `frameRecords` needs for so many. */
export function framedLength(length: number): number {
  return length + HEADER * Math.ceil(length / MOST_OUT);
}

/** Writes application-data records that carry `bytes` into `out`, which must be large enough. */
export function frameRecords(bytes: Uint8Array, out: Uint8Array): Uint8Array {
  let at = 0;
  for (let from = 0; from < bytes.length; from += MOST_OUT) {
    const length = Math.min(MOST_OUT, bytes.length - from);
    out[at] = APPLICATION_DATA;
    out[at + 1] = 3;
    out[at + 2] = 3;
    out[at + 3] = length >> 8;
    out[at + 4] = length & 255;
    out.set(length === bytes.length ? bytes : bytes.subarray(from, from + length), at + HEADER);
    at += HEADER + length;
  }
  return out.subarray(0, at);
}

/** Records that one write carries. More would only be more memory for a client that reads slowly. */
const RECORDS_AT_ONCE = 4;
const PIECE = RECORDS_AT_ONCE * MOST_OUT;
/** Frames up to this size are allocated, larger ones pooled. */
const SMALL = 4096;
const KEPT = 64;
const spare: Uint8Array[] = [];

/** A stream of bytes inside TLS records. */
export class RecordStream implements ByteStream {
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #reader = new RecordReader();
  /** What the handshake read too far. */
  #first: Uint8Array | null;

  constructor(inner: ByteStream, first: Uint8Array) {
    this.#inner = inner;
    this.#first = first.length > 0 ? first : null;
    this.halfCloses = inner.halfCloses;
  }

  ready(): Promise<boolean> {
    return this.#first !== null ? Promise.resolve(true) : this.#inner.ready();
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    return this.#first !== null ? Promise.resolve(true) : this.#inner.readyBefore(deadline);
  }

  take(room = 0): Uint8Array {
    const first = this.#first;
    this.#first = null;
    const bytes = this.#reader.update(first ?? this.#inner.take(room));
    if (first === null || room === 0) return bytes;
    const copy = new Uint8Array(room + bytes.length);
    copy.set(bytes, room);
    return copy.subarray(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (b !== undefined && b.length > 0) return this.#writeBoth(a, b);
    if (a.length > PIECE) return this.#writePieces(a);
    const need = framedLength(a.length);
    if (need <= SMALL) return this.#inner.write(frameRecords(a, new Uint8Array(need)));
    const frame = spare.pop() ?? new Uint8Array(framedLength(PIECE));
    const writing = this.#inner.write(frameRecords(a, frame));
    if (writing === undefined) return keep(frame);
    // The buffer of a write that failed may still be read by somebody: it is left to the garbage collector.
    return writing.then(() => keep(frame));
  }

  closeWrite(): Promise<void> | void {
    return this.#inner.closeWrite();
  }

  close(reason?: unknown): void {
    this.#inner.close(reason);
  }

  async #writeBoth(a: Uint8Array, b: Uint8Array): Promise<void> {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    await this.write(both);
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += PIECE) {
      const writing = this.write(bytes.subarray(from, from + PIECE));
      if (writing !== undefined) await writing;
    }
  }
}

function keep(frame: Uint8Array): void {
  if (spare.length < KEPT) spare.push(frame);
}
