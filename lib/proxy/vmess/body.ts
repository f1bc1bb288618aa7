/** How the body of one direction is encrypted and cut. */
import { md5 } from "../../crypto/hash.ts";
import { type AeadAlgorithm, NONCE, TAG } from "../../crypto/types.ts";
import { concat } from "../../stream/bytes.ts";
import type { Random } from "../types.ts";
import { OPTION, type RequestHeader, type Security } from "./header.ts";
import type { DirectionKeys } from "./response.ts";

export interface BodyFormat {
  /** Null: the text stands as it is. */
  algorithm: AeadAlgorithm | null;
  /** Without chunks it is a bare stream of bytes. */
  chunked: boolean;
  masking: boolean;
  padding: boolean;
  authenticatedLength: boolean;
  /** Bytes that encryption adds to a chunk. */
  overhead: number;
}

/** Keys of one direction's body. */
export interface BodyKeys extends DirectionKeys {
  /** The request's, in both directions: sealed sizes have no other. */
  request: DirectionKeys;
}

/** Padding goes up to this. Bytes. */
export const MOST_PADDING = 63;
/** Bytes of a size, as it is and sealed. */
export const SIZE = 2, SEALED_SIZE = SIZE + TAG;

export function formatOf(
  { security, options, command }: Pick<RequestHeader, "security" | "options" | "command">,
): BodyFormat {
  const algorithm = security === "none" ? null : security;
  const has = (option: number) => (options & option) !== 0;
  return {
    algorithm,
    chunked: algorithm !== null || has(OPTION.chunks),
    masking: has(OPTION.masking),
    // V2Ray pads unencrypted datagrams, and never an unencrypted stream.
    padding: has(OPTION.padding) && (algorithm !== null || command === "udp"),
    authenticatedLength: has(OPTION.authenticatedLength) && algorithm !== null,
    overhead: algorithm === null ? 0 : TAG,
  };
}

/** Stretches a key of 16 bytes to what the algorithm takes. */
export function bodyKey(algorithm: Exclude<Security, "none">, key: Uint8Array): Uint8Array {
  if (algorithm === "aes-128-gcm") return key;
  const half = md5(key);
  return concat(half, md5(half));
}

/** The nonces of one direction: a counter of 16 bits, which wraps as the peers' do, and ten bytes of the IV. */
export class Nonces {
  readonly #nonce: Uint8Array;
  #count = 0;

  constructor(iv: Uint8Array) {
    this.#nonce = iv.slice(0, NONCE);
  }

  /** Valid until the next call. */
  next(): Uint8Array {
    const nonce = this.#nonce;
    nonce[0] = this.#count >> 8;
    nonce[1] = this.#count;
    this.#count = this.#count + 1 & 0xffff;
    return nonce;
  }
}

/** Random bytes for padding, fetched in large pieces: each chunk needs a few. One serves all connections. */
export class PaddingSource {
  readonly #random: Random;
  #bytes = new Uint8Array(0);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Fills `out` from `at` to `end`, at most MOST_PADDING bytes. */
  fill(out: Uint8Array, at: number, end: number): void {
    const length = end - at;
    if (this.#at + length > this.#bytes.length) {
      this.#bytes = this.#random(4096).slice();
      this.#at = 0;
    }
    for (let i = at; i < end; i++) out[i] = this.#bytes[this.#at++];
  }
}

const sources = new WeakMap<Random, PaddingSource>();

/** The source that all connections with the same randomness share. */
export function paddingOf(random: Random): PaddingSource {
  const known = sources.get(random);
  if (known !== undefined) return known;
  const source = new PaddingSource(random);
  sources.set(random, source);
  return source;
}
