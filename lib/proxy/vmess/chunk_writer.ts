import { Shake128 } from "../../crypto/shake128.ts";
import type { CryptoProvider, Part, Sealer } from "../../crypto/types.ts";
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
  readonly #sizeNonces: Nonces | null = null;
  readonly #shake: Shake128;
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
    this.#shake = new Shake128(keys.iv);
    this.#front = format.authenticatedLength ? SEALED_SIZE : SIZE;
    this.#beside = this.#front + format.overhead + (format.padding ? MOST_PADDING : 0);
    this.most = datagrams ? MOST_SIZE - this.#beside + this.#front : MOST_WIRE - this.#beside;
    if (algorithm === null) return;
    this.#sealer = crypto.sealer(algorithm, bodyKey(algorithm, keys.key));
    if (format.authenticatedLength) {
      const key = kdf16(keys.request.key, SALT.chunkLength);
      this.#sizeNonces = new Nonces(keys.request.iv);
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
    const from = at + this.#front;
    out.set(a, from);
    out.set(shared === b.length ? b : b.subarray(0, shared), from + a.length);
    const end = this.#putOne({ bytes: out, at: from, length: a.length + shared }, out, at);
    return shared === b.length ? end : this.#putAll(b.subarray(shared), out, end);
  }

  /** The chunk that ends the stream. */
  end(): Uint8Array {
    const out = new Uint8Array(this.#beside);
    return out.subarray(0, this.#putOne({ bytes: out, at: this.#front, length: 0 }, out, 0));
  }

  close(): void {
    this.#sealer?.close();
    this.#sizeSealer?.close();
  }

  #putAll(bytes: Uint8Array, out: Uint8Array, at: number): number {
    for (let from = 0; from < bytes.length; from += this.most) {
      at = this.#putOne({ bytes, at: from, length: Math.min(this.most, bytes.length - from) }, out, at);
    }
    return at;
  }

  /** @param text may already lie where it belongs in `out` */
  #putOne(text: Part, out: Uint8Array, at: number): number {
    const { padding, masking, overhead } = this.#format;
    const pad = padding ? this.#shake.next16() & MOST_PADDING : 0;
    const from = at + this.#front;
    const padAt = from + text.length + overhead, end = padAt + pad;
    const size = end - from;
    if (this.#sizeSealer !== null) {
      // The size that is sealed leaves the tag out.
      out[at] = size - overhead >> 8;
      out[at + 1] = size - overhead;
      this.#sizeSealer.sealPart(this.#sizeNonces!.next(), { bytes: out, at, length: SIZE }, {
        bytes: out,
        at,
      });
    } else {
      const mask = masking ? this.#shake.next16() : 0;
      out[at] = (size ^ mask) >> 8;
      out[at + 1] = size ^ mask;
    }
    if (this.#sealer !== null) this.#sealer.sealPart(this.#nonces.next(), text, { bytes: out, at: from });
    else if (text.bytes !== out || text.at !== from) {
      out.set(text.bytes.subarray(text.at, text.at + text.length), from);
    }
    if (pad > 0) this.#padding.fill(out, padAt, end);
    return end;
  }
}
