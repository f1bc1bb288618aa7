import { ctr } from "@noble/ciphers/aes.js";
import { Ctr } from "./ctr.ts";
import { NobleOpener, NobleSealer } from "./noble_aead.ts";
import type { CryptoProvider } from "./types.ts";

/** AES in plain JavaScript: a hundred times slower than OpenSSL, and independent of everything. */
export const nobleProvider: CryptoProvider = {
  name: "JavaScript",
  fastAes128Gcm: false,
  aes256Ctr: (key, iv) => new NobleCtr(key, iv),
  sealer: (algorithm, key) => new NobleSealer(algorithm, key),
  opener: (algorithm, key) => new NobleOpener(algorithm, key),
};

/** The library encrypts whole messages: each begins where the last one ended, and nothing is kept in between. */
class NobleCtr extends Ctr<true> {
  protected override begin(): true {
    return true;
  }

  protected override transform(_engine: true, bytes: Uint8Array): Uint8Array {
    const { counter, skip } = this.place();
    const key = this.key();
    const padded = new Uint8Array(skip + bytes.length);
    padded.set(bytes, skip);
    const result = ctr(key, counter).encrypt(padded).subarray(skip);
    key.fill(0);
    return result;
  }

  protected override end(): void {}
}
