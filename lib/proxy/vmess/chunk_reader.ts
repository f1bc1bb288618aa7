import { Shake128 } from "../../crypto/shake128.ts";
import type { CryptoProvider, Opener } from "../../crypto/types.ts";
import { MtrayError } from "../../errors.ts";
import { type BodyFormat, bodyKey, type BodyKeys, MOST_PADDING, Nonces, SEALED_SIZE, SIZE } from "./body.ts";
import { FrameBuffer } from "./frame_buffers.ts";
import { kdf16, SALT } from "./kdf.ts";

const NOTHING = new Uint8Array();
const UNKNOWN = -1;

/**
 * Takes the text out of one direction's chunks, which may be cut anywhere. Works in the memory that it is fed, and
 * copies nothing but a chunk that is cut in two.
 */
export class ChunkReader {
  readonly #format: BodyFormat;
  readonly #keys: BodyKeys;
  readonly #crypto: CryptoProvider;
  readonly #nonces: Nonces;
  readonly #sizeNonces: Nonces;
  readonly #shake: Shake128;
  readonly #sizeText = new Uint8Array(SIZE);
  #opener: Opener | null = null;
  #sizeOpener: Opener | null = null;
  #closed = false;
  #ended = false;
  /** What was fed, and how much of it is done. */
  #view: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a size or chunk that was cut; as long as the whole. */
  #cut: Uint8Array = NOTHING;
  #cutLength = 0;
  /** Bytes of the chunk behind its size, and how many of them are padding. */
  #length = UNKNOWN;
  #pad = 0;
  readonly #joined = new FrameBuffer();

  constructor(format: BodyFormat, keys: BodyKeys, crypto: CryptoProvider) {
    this.#format = format;
    this.#keys = keys;
    this.#crypto = crypto;
    this.#nonces = new Nonces(keys.iv);
    this.#sizeNonces = new Nonces(keys.request.iv);
    this.#shake = new Shake128(keys.iv);
  }

  /** The chunk that ends the stream has come, or at least its size. Nothing counts after it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The last chunk is incomplete. */
  get inside(): boolean {
    return !this.#ended && (this.#length !== UNKNOWN || this.#cutLength > 0);
  }

  /**
   * The text of a stream.
   *
   * @param bytes writable; the result lies in them, or in memory that is the reader's until `release`
   * @param room so many writable bytes lie in front of `bytes`, and shall lie in front of the result
   * @throws {MtrayError} `protocol`; nothing can be read after it
   */
  update(bytes: Uint8Array, room = 0): Uint8Array {
    this.feed(bytes);
    try {
      const first = this.next();
      if (first === null) return room === 0 ? NOTHING : new Uint8Array(room).subarray(room);
      if (first.buffer === bytes.buffer) return this.#inPlace(bytes, first);
      if (room === 0 && this.#at === bytes.length) return first;
      return this.#together(first, room);
    } finally {
      this.#view = NOTHING;
      this.#at = 0;
    }
  }

  /** Gives back the memory of the last `update`, at whose result nobody looks any more. */
  release(): void {
    this.#joined.release();
  }

  /** Hands over bytes for `next`, which must have said null about the last ones. */
  feed(bytes: Uint8Array): void {
    this.#view = bytes;
    this.#at = 0;
  }

  /**
   * The text of the next chunk, in place. Null: more bytes are needed, or the stream has ended.
   *
   * @param into where the text goes instead, from `to` on
   * @throws {MtrayError} `protocol`; nothing can be read after it
   */
  next(into?: Uint8Array, to = 0): Uint8Array | null {
    try {
      return this.#next(into, to);
    } finally {
      if (this.#closed) this.#free();
    }
  }

  #next(into: Uint8Array | undefined, to: number): Uint8Array | null {
    if (this.#ended) return null;
    if (this.#length === UNKNOWN) {
      const length = this.#format.authenticatedLength ? SEALED_SIZE : SIZE;
      const size = this.#whole(length, length);
      if (size === null) return null;
      this.#begin(size);
      if (this.#ended) return null;
    }
    const sealed = this.#whole(this.#length, this.#length - this.#pad);
    if (sealed === null) return null;
    this.#length = UNKNOWN;
    return this.#open(sealed, into, to);
  }

  /** What was received stays readable: afterwards ciphers live for one call each. */
  close(): void {
    this.#closed = true;
    this.#joined.discard();
    this.#free();
  }

  /** The texts close up behind the first, which stays where it is. */
  #inPlace(bytes: Uint8Array, first: Uint8Array): Uint8Array {
    const from = first.byteOffset - bytes.byteOffset;
    let to = from + first.length;
    for (let text; (text = this.next()) !== null; to += text.length) {
      const at = text.byteOffset - bytes.byteOffset;
      bytes.copyWithin(to, at, at + text.length);
    }
    return bytes.subarray(from, to);
  }

  /** The first text was cut and lies somewhere else: all of them go to memory of our own. */
  #together(first: Uint8Array, room: number): Uint8Array {
    const out = this.#joined.take(room + first.length + this.#view.length - this.#at);
    out.set(first, room);
    let to = room + first.length;
    for (let text; (text = this.next(out, to)) !== null;) to += text.length;
    return out.subarray(room, to);
  }

  /** So many bytes in one piece, as a view of what was fed where they lie there; `used` of them are returned. */
  #whole(length: number, used: number): Uint8Array | null {
    const available = this.#view.length - this.#at;
    if (this.#cutLength === 0) {
      if (available >= length) {
        const from = this.#at;
        this.#at += length;
        return this.#view.subarray(from, from + used);
      }
      if (available === 0) return null;
      this.#cut = new Uint8Array(length);
    }
    const some = this.#view.subarray(this.#at, this.#at + length - this.#cutLength);
    this.#cut.set(some, this.#cutLength);
    this.#cutLength += some.length;
    this.#at += some.length;
    if (this.#cutLength < length) return null;
    const cut = this.#cut;
    this.#cut = NOTHING;
    this.#cutLength = 0;
    return cut.subarray(0, used);
  }

  #begin(size: Uint8Array): void {
    const { padding, masking, authenticatedLength, overhead } = this.#format;
    const pad = padding ? this.#shake.next16() & MOST_PADDING : 0;
    let length: number;
    if (authenticatedLength) {
      const { algorithm } = this.#format;
      const opener = this.#sizeOpener ??= this.#makeOpener(
        algorithm!,
        kdf16(this.#keys.request.key, SALT.chunkLength),
      );
      if (!opener.open(this.#sizeNonces.next(), size, this.#sizeText)) {
        throw damaged("its size does not open");
      }
      length = (this.#sizeText[0] << 8 | this.#sizeText[1]) + overhead;
    } else {
      length = (size[0] << 8 | size[1]) ^ (masking ? this.#shake.next16() : 0);
    }
    if (length < overhead + pad) throw damaged(`it has ${length} bytes`);
    this.#ended = length === overhead + pad;
    this.#length = length;
    this.#pad = pad;
  }

  #open(sealed: Uint8Array, into: Uint8Array | undefined, to: number): Uint8Array {
    const { algorithm, overhead } = this.#format;
    const length = sealed.length - overhead;
    const text = into === undefined ? sealed.subarray(0, length) : into.subarray(to, to + length);
    if (algorithm === null) {
      if (into !== undefined) text.set(sealed);
      return text;
    }
    const opener = this.#opener ??= this.#makeOpener(algorithm, this.#keys.key);
    if (!opener.open(this.#nonces.next(), sealed, text)) throw damaged("its tag does not fit");
    return text;
  }

  #makeOpener(algorithm: "aes-128-gcm" | "chacha20-poly1305", key: Uint8Array): Opener {
    return this.#crypto.opener(algorithm, bodyKey(algorithm, key));
  }

  #free(): void {
    this.#opener?.close();
    this.#sizeOpener?.close();
    this.#opener = this.#sizeOpener = null;
  }
}

function damaged(why: string): MtrayError {
  return new MtrayError("protocol", `cannot read a VMess chunk: ${why}`);
}
