import type { Pointer } from "../runtime/ffi.ts";
import { openEvp } from "./evp.ts";
import { GcmParameters } from "./gcm_parameters.ts";
import { LibcryptoOpener, LibcryptoSealer } from "./libcrypto_aead.ts";
import { LibcryptoCtr } from "./libcrypto_ctr.ts";
import type { AeadAlgorithm, CryptoProvider } from "./types.ts";

/** The system's OpenSSL: in place, without a copy, as fast as C. Null where there is none. */
export function libcryptoProvider(): CryptoProvider | null {
  const library = openEvp();
  if (library === null) return null;
  const { file, evp } = library;
  const ctr = evp.EVP_aes_256_ctr() as Pointer;
  const aead: Record<AeadAlgorithm, Pointer> = {
    "aes-128-gcm": evp.EVP_aes_128_gcm() as Pointer,
    "chacha20-poly1305": evp.EVP_chacha20_poly1305() as Pointer,
  };
  const parameters = GcmParameters.of(evp);
  return {
    name: `${file} through FFI`,
    fastAes128Gcm: true,
    aes256Ctr: (key, iv) => new LibcryptoCtr(evp, ctr, key, iv),
    sealer: (algorithm, key) => new LibcryptoSealer(evp, aead[algorithm], algorithm, key),
    opener: (name, key) =>
      new LibcryptoOpener(evp, {
        algorithm: aead[name],
        name,
        parameters: name === "aes-128-gcm" ? parameters : null,
      }, key),
  };
}
