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

  /** @param block 16 bytes, left as they are */
  encrypt(block: Uint8Array): Uint8Array {
    const copy = blockOf(block);
    aes.encryptBlock(this.#encrypting, copy);
    return copy;
  }

  /** @param block 16 bytes, left as they are */
  decrypt(block: Uint8Array): Uint8Array {
    const copy = blockOf(block);
    aes.decryptBlock(this.#decrypting, copy);
    return copy;
  }
}

function blockOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== BLOCK) throw new RangeError(`a block has ${BLOCK} bytes`);
  return Uint8Array.from(bytes);
}
