import { unsafe as aes } from "@noble/ciphers/aes.js";

/** Bytes of a block. */
const BLOCK = 16;

/**
 * AES-128 of single blocks: nothing that repeats may be encrypted with it.
 *
 * In JavaScript with the key expanded once: it costs 0.06 µs a block on both runtimes, where node:crypto's call alone
 * costs 0.1 µs on Bun and 1 µs on Deno, and it is called for every user of a port when somebody connects.
 */
export class Aes128Block {
  readonly #encrypting: Uint32Array;
  readonly #decrypting: Uint32Array;

  /** @param key 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError("AES-128 takes a key of 16 bytes");
    this.#encrypting = aes.expandKeyLE(key);
    this.#decrypting = aes.expandKeyDecLE(key);
  }

  /**
   * @param block 16 bytes, left as they are
   * @param into 16 bytes
   */
  encrypt(block: Uint8Array, into = new Uint8Array(BLOCK)): Uint8Array {
    checkBlocks(block, into);
    const { s0, s1, s2, s3 } = aes.encrypt(
      this.#encrypting,
      at(block, 0),
      at(block, 4),
      at(block, 8),
      at(block, 12),
    );
    write(into, 0, s0);
    write(into, 4, s1);
    write(into, 8, s2);
    write(into, 12, s3);
    return into;
  }

  /**
   * @param block 16 bytes, left as they are
   * @param into 16 bytes
   */
  decrypt(block: Uint8Array, into = new Uint8Array(BLOCK)): Uint8Array {
    checkBlocks(block, into);
    const { s0, s1, s2, s3 } = aes.decrypt(
      this.#decrypting,
      at(block, 0),
      at(block, 4),
      at(block, 8),
      at(block, 12),
    );
    write(into, 0, s0);
    write(into, 4, s1);
    write(into, 8, s2);
    write(into, 12, s3);
    return into;
  }
}

function checkBlocks(block: Uint8Array, into: Uint8Array): void {
  if (block.length !== BLOCK || into.length !== BLOCK) throw new RangeError(`a block has ${BLOCK} bytes`);
}

function at(bytes: Uint8Array, i: number): number {
  return bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24;
}

function write(into: Uint8Array, i: number, word: number): void {
  into[i] = word;
  into[i + 1] = word >>> 8;
  into[i + 2] = word >>> 16;
  into[i + 3] = word >>> 24;
}
