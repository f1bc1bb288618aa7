import { Shake128 } from "../../crypto/shake128.ts";
import type { CryptoProvider, Sealer } from "../../crypto/types.ts";
import {
  type BodyFormat,
  bodyKey,
  type BodyKeys,
  MOST_PADDING,
  Nonces,
  type PaddingSource,
  SEALED_SIZE,
  SIZE,
} from "./body.ts";
import { kdf16, SALT } from "./kdf.ts";

/** Bytes of a chunk on the wire. Some servers take no more than 2^14 behind the size. */
const MOST_WIRE = 16_384;
/** Bytes behind the size, as far as the size can tell. */
const MOST_SIZE = 65_535;

export interface ChunkWriterOptions {
  crypto: CryptoProvider;
  padding: PaddingSource;
  /** Each text is a datagram, which is never split: chunks may be as large as their size can tell. */
  datagrams?: boolean;
}

/** Makes the chunks of one direction. */
export class ChunkWriter {
  /** Bytes of text in a chunk at most. */
  readonly most: number;
  readonly #format: BodyFormat;
  readonly #padding: PaddingSource;
  readonly #sealer: Sealer | null = null;
  readonly #sizeSealer: Sealer | null = null;
  readonly #nonces: Nonces;
  readonly #sizeNonces: Nonces;
  readonly #shake: Shake128;
  readonly #size = new Uint8Array(SIZE);
  /** Bytes in front of the text, and at most beside it. */
  readonly #front: number;
  readonly #beside: number;

  constructor(
    format: BodyFormat,
    keys: BodyKeys,
    { crypto, padding, datagrams = false }: ChunkWriterOptions,
  ) {
    const { algorithm } = format;
    this.#format = format;
    this.#padding = padding;
    this.#nonces = new Nonces(keys.iv);
    this.#sizeNonces = new Nonces(keys.request.iv);
    this.#shake = new Shake128(keys.iv);
    this.#front = format.authenticatedLength ? SEALED_SIZE : SIZE;
    this.#beside = this.#front + format.overhead + (format.padding ? MOST_PADDING : 0);
    this.most = datagrams ? MOST_SIZE - this.#beside + this.#front : MOST_WIRE - this.#beside;
    if (algorithm === null) return;
    this.#sealer = crypto.sealer(algorithm, bodyKey(algorithm, keys.key));
    if (format.authenticatedLength) {
      const key = kdf16(keys.request.key, SALT.chunkLength);
      this.#sizeSealer = crypto.sealer(algorithm, bodyKey(algorithm, key));
    }
  }

  /** Bytes that the chunks of two texts, so long together, take at most. */
  wireLength(length: number): number {
    return length + (Math.ceil(length / this.most) + 1) * this.#beside;
  }

  /**
   * Writes `a` and then `b` as chunks at `at`, and nothing where both are empty. `out` must be large enough.
   *
   * @returns where they end
   */
  put(a: Uint8Array, b: Uint8Array | undefined, out: Uint8Array, at: number): number {
    if (b === undefined || b.length === 0) return this.#putAll(a, out, at);
    if (a.length >= this.most) return this.#putAll(b, out, this.#putAll(a, out, at));
    // The two share a chunk: a short head does not get one of its own.
    const shared = Math.min(b.length, this.most - a.length);
    const text = out.subarray(at + this.#front, at + this.#front + a.length + shared);
    text.set(a);
    text.set(b.subarray(0, shared), a.length);
    const end = this.#putOne(text, out, at);
    return this.#putAll(b.subarray(shared), out, end);
  }

  /** The chunk that ends the stream. */
  end(): Uint8Array {
    const out = new Uint8Array(this.#beside);
    return out.subarray(0, this.#putOne(out.subarray(0, 0), out, 0));
  }

  close(): void {
    this.#sealer?.close();
    this.#sizeSealer?.close();
  }

  #putAll(text: Uint8Array, out: Uint8Array, at: number): number {
    if (text.length === 0) return at;
    if (text.length <= this.most) return this.#putOne(text, out, at);
    for (let from = 0; from < text.length; from += this.most) {
      at = this.#putOne(text.subarray(from, from + this.most), out, at);
    }
    return at;
  }

  /** @param text may already lie where it belongs in `out` */
  #putOne(text: Uint8Array, out: Uint8Array, at: number): number {
    const { padding, masking, overhead } = this.#format;
    const pad = padding ? this.#shake.next16() & MOST_PADDING : 0;
    const from = at + this.#front;
    const padAt = from + text.length + overhead, end = padAt + pad;
    const size = end - from;
    if (this.#sizeSealer !== null) {
      // The size that is sealed leaves the tag out.
      this.#size[0] = size - overhead >> 8;
      this.#size[1] = size - overhead;
      this.#sizeSealer.seal(this.#sizeNonces.next(), this.#size, out.subarray(at, from));
    } else {
      const mask = masking ? this.#shake.next16() : 0;
      out[at] = (size ^ mask) >> 8;
      out[at + 1] = size ^ mask;
    }
    if (this.#sealer !== null) this.#sealer.seal(this.#nonces.next(), text, out.subarray(from, padAt));
    else if (text.byteOffset !== out.byteOffset + from || text.buffer !== out.buffer) out.set(text, from);
    if (pad > 0) this.#padding.fill(out, padAt, end);
    return end;
  }
}
