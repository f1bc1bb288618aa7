import { Shake128 } from "../../crypto/shake128.ts";
import type { CryptoProvider, Opener, Place } from "../../crypto/types.ts";
import { MtrayError } from "../../errors.ts";
import { type BodyFormat, bodyKey, type BodyKeys, MOST_PADDING, Nonces, SEALED_SIZE, SIZE } from "./body.ts";
import { FrameBuffer } from "./frame_buffers.ts";
import { kdf16, SALT } from "./kdf.ts";

const NOTHING = new Uint8Array();
const UNKNOWN = -1;
/** Read at once, so it serves all. */
const OPENED_SIZE: Place = { bytes: new Uint8Array(SIZE), at: 0 };

/**
 * Takes the text out of one direction's chunks, which may be cut anywhere. Works in the memory that it is fed as long
 * as no chunk was cut in two; else the texts go to a buffer that is given back soon.
 */
export class ChunkReader {
  readonly #format: BodyFormat;
  readonly #keys: BodyKeys;
  readonly #crypto: CryptoProvider;
  readonly #nonces: Nonces;
  readonly #shake: Shake128;
  /** Bytes of a size on the wire. */
  readonly #sizeLength: number;
  /** Only where sizes are sealed. */
  readonly #sizeNonces: Nonces | null;
  #opener: Opener | null = null;
  #sizeOpener: Opener | null = null;
  #closed = false;
  #ended = false;
  /** What was fed, and how much of it is done. */
  #view: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a size that was cut. */
  #cutSize: Uint8Array = NOTHING;
  #cutSizeLength = 0;
  /** The beginning of a chunk that was cut, or all of it; as long as the whole. */
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
    this.#shake = new Shake128(keys.iv);
    this.#sizeLength = format.authenticatedLength ? SEALED_SIZE : SIZE;
    this.#sizeNonces = format.authenticatedLength ? new Nonces(keys.request.iv) : null;
  }

  /** The chunk that ends the stream has come, or at least its size. Nothing counts after it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The last chunk is incomplete. */
  get inside(): boolean {
    return !this.#ended && (this.#length !== UNKNOWN || this.#cutSizeLength > 0);
  }

  /** Not all of what was fed is read: `more` must be called before more is fed. */
  get waiting(): boolean {
    return !this.#ended && this.#at < this.#view.length;
  }

  /**
   * The text of a stream, or the first part of it where there is much: `waiting` tells.
   *
   * @param bytes writable; the result lies in them, or in memory that is the reader's until `release`
   * @param room so many writable bytes lie in front of `bytes`, and shall lie in front of the result
   * @throws {MtrayError} `protocol`; nothing can be read after it
   */
  update(bytes: Uint8Array, room = 0): Uint8Array {
    this.feed(bytes);
    return this.more(room);
  }

  /** The next part of what was fed. As `update`. */
  more(room = 0): Uint8Array {
    try {
      const texts = this.#texts(room);
      if (!this.waiting) this.#forget();
      return texts;
    } finally {
      if (this.#closed) this.#free();
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
   * @throws {MtrayError} `protocol`; nothing can be read after it
   */
  next(): Uint8Array | null {
    try {
      if (this.#complete()) return this.#openInPlace();
      this.#forget();
      return null;
    } finally {
      if (this.#closed) this.#free();
    }
  }

  /** What was received stays readable: afterwards ciphers live for one call each. */
  close(): void {
    this.#closed = true;
    this.#joined.discard();
    this.#free();
  }

  #texts(room: number): Uint8Array {
    if (!this.#complete()) return room === 0 ? NOTHING : new Uint8Array(room).subarray(room);
    if (this.#cutLength === 0) return this.#closingUp();
    return room === 0 && this.#at === this.#view.length ? this.#openInPlace() : this.#together(room);
  }

  /** The texts of what was fed: they close up behind the first, which stays where it is. */
  #closingUp(): Uint8Array {
    const view = this.#view, from = this.#at;
    let to = from;
    do {
      const at = this.#at, length = this.#open(view, at);
      if (to !== at) view.copyWithin(to, at, at + length);
      to += length;
    } while (this.#complete() && this.#cutLength === 0);
    return view.subarray(from, to);
  }

  /** The first chunk was cut and lies somewhere else: the texts go to memory of our own, as many as fit. */
  #together(room: number): Uint8Array {
    const most = FrameBuffer.most(room + this.#length + this.#view.length - this.#at);
    const out = this.#joined.take(most);
    let to = room + this.#open(out, room);
    while (this.#complete() && this.#cutLength === 0 && to + this.#length <= most) to += this.#open(out, to);
    return out.subarray(room, to);
  }

  /** Whether the next chunk is here as a whole: in `#cut` if some of it is there, or else in `#view` from `#at` on. */
  #complete(): boolean {
    if (this.#ended || this.#length === UNKNOWN && !this.#readSize()) return false;
    const missing = this.#length - this.#cutLength, available = this.#view.length - this.#at;
    if (missing === 0) return true;
    if (this.#cutLength === 0) {
      if (available >= missing) return true;
      if (available === 0) return false;
      this.#cut = new Uint8Array(missing);
    }
    const some = Math.min(missing, available);
    this.#cut.set(this.#view.subarray(this.#at, this.#at + some), this.#cutLength);
    this.#cutLength += some;
    this.#at += some;
    return some === missing;
  }

  /** Whether the next chunk's size is known now. False, too, when it is the end. */
  #readSize(): boolean {
    const view = this.#view, at = this.#at, length = this.#sizeLength;
    if (this.#cutSizeLength === 0 && view.length - at >= length) {
      this.#at = at + length;
      return this.#begin(view, at);
    }
    if (at === view.length) return false;
    if (this.#cutSizeLength === 0) this.#cutSize = new Uint8Array(length);
    const some = view.subarray(at, at + length - this.#cutSizeLength);
    this.#cutSize.set(some, this.#cutSizeLength);
    this.#cutSizeLength += some.length;
    this.#at = at + some.length;
    if (this.#cutSizeLength < length) return false;
    this.#cutSizeLength = 0;
    return this.#begin(this.#cutSize, 0);
  }

  #begin(bytes: Uint8Array, at: number): boolean {
    const { padding, masking, overhead } = this.#format;
    const pad = padding ? this.#shake.next16() & MOST_PADDING : 0;
    let length: number;
    if (this.#sizeNonces !== null) length = this.#openSize(this.#sizeNonces.next(), bytes, at) + overhead;
    else length = (bytes[at] << 8 | bytes[at + 1]) ^ (masking ? this.#shake.next16() : 0);
    if (length < overhead + pad) throw damaged(`it has ${length} bytes`);
    this.#ended = length === overhead + pad;
    this.#length = length;
    this.#pad = pad;
    return !this.#ended;
  }

  #openSize(nonce: Uint8Array, bytes: Uint8Array, at: number): number {
    const opener = this.#sizeOpener ??= this.#makeOpener(
      this.#format.algorithm!,
      kdf16(this.#keys.request.key, SALT.chunkLength),
    );
    if (!opener.openPart(nonce, { bytes, at, length: SEALED_SIZE }, OPENED_SIZE)) {
      throw damaged("its size does not open");
    }
    return OPENED_SIZE.bytes[0] << 8 | OPENED_SIZE.bytes[1];
  }

  /** Opens the chunk that is complete, where it lies. */
  #openInPlace(): Uint8Array {
    const [bytes, at] = this.#cutLength > 0 ? [this.#cut, 0] : [this.#view, this.#at];
    return bytes.subarray(at, at + this.#open(bytes, at));
  }

  /**
   * Opens the chunk that is complete.
   *
   * @returns the length of its text, which goes to `into` from `to` on: there where it lies, or somewhere else
   */
  #open(into: Uint8Array, to: number): number {
    const { algorithm, overhead } = this.#format;
    const sealed = this.#length - this.#pad, length = sealed - overhead;
    let bytes = this.#cut, at = 0;
    if (this.#cutLength > 0) {
      this.#cut = NOTHING;
      this.#cutLength = 0;
    } else {
      bytes = this.#view;
      at = this.#at;
      this.#at = at + this.#length;
    }
    this.#length = UNKNOWN;
    if (algorithm === null) {
      if (bytes !== into || at !== to) into.set(bytes.subarray(at, at + length), to);
      return length;
    }
    const opener = this.#opener ??= this.#makeOpener(algorithm, this.#keys.key);
    if (opener.openPart(this.#nonces.next(), { bytes, at, length: sealed }, { bytes: into, at: to })) {
      return length;
    }
    throw damaged("its tag does not fit");
  }

  #forget(): void {
    this.#view = NOTHING;
    this.#at = 0;
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
