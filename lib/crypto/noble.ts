import { ctr } from "@noble/ciphers/aes.js";
import { MtrayError } from "../errors.ts";
import { NobleOpener, NobleSealer } from "./noble_aead.ts";
import type { CryptoProvider, SyncCipher } from "./types.ts";

const BLOCK = 16;

/** AES in plain JavaScript: a hundred times slower than OpenSSL, and independent of everything. */
export const nobleProvider: CryptoProvider = {
  name: "JavaScript",
  fastAes128Gcm: false,
  aes256Ctr: (key, iv) => new NobleCtr(key, iv),
  sealer: (algorithm, key) => new NobleSealer(algorithm, key),
  opener: (algorithm, key) => new NobleOpener(algorithm, key),
};

/** The library encrypts whole messages; the counter and the rest of a block are kept here. */
class NobleCtr implements SyncCipher {
  readonly asynchronous = false;
  readonly #counter: Uint8Array;
  #key: Uint8Array | null;
  /** Bytes of the current block that are used up, 0–15. */
  #used = 0;

  constructor(key: Uint8Array, iv: Uint8Array) {
    if (key.length !== 32 || iv.length !== 16) {
      throw new RangeError("AES-256-CTR takes a key of 32 and an IV of 16 bytes");
    }
    this.#key = key.slice();
    this.#counter = iv.slice();
  }

  update(bytes: Uint8Array): Uint8Array {
    if (this.#key === null) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    const padded = new Uint8Array(this.#used + bytes.length);
    padded.set(bytes, this.#used);
    const result = ctr(this.#key, this.#counter).encrypt(padded).subarray(this.#used);
    this.#advance(Math.floor(padded.length / BLOCK));
    this.#used = padded.length % BLOCK;
    return result;
  }

  close(): void {
    this.#key?.fill(0);
    this.#key = null;
  }

  #advance(blocks: number): void {
    for (let i = BLOCK - 1, carry = blocks; i >= 0 && carry > 0; i--) {
      carry += this.#counter[i];
      this.#counter[i] = carry % 256;
      carry = Math.floor(carry / 256);
    }
  }
}
