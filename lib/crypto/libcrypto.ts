import { MtrayError } from "../errors.ts";
import type { Pointer } from "../runtime/ffi.ts";
import { type Evp, EvpContext, openEvp } from "./evp.ts";
import { LibcryptoOpener, LibcryptoSealer } from "./libcrypto_aead.ts";
import type { AeadAlgorithm, CryptoProvider, SyncCipher } from "./types.ts";

/** The most that is given to OpenSSL at once; its lengths are C ints. */
const PIECE = 1 << 24;

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
  return {
    name: `${file} through FFI`,
    fastAes128Gcm: true,
    aes256Ctr: (key, iv) => new LibcryptoCtr(evp, ctr, key, iv),
    sealer: (algorithm, key) => new LibcryptoSealer(evp, aead[algorithm], algorithm, key),
    opener: (algorithm, key) => new LibcryptoOpener(evp, aead[algorithm], algorithm, key),
  };
}

class LibcryptoCtr implements SyncCipher {
  readonly asynchronous = false;
  readonly #evp: Evp;
  readonly #context: EvpContext;
  readonly #written = new Uint8Array(4);

  constructor(evp: Evp, algorithm: Pointer, key: Uint8Array, iv: Uint8Array) {
    if (key.length !== 32 || iv.length !== 16) {
      throw new RangeError("AES-256-CTR takes a key of 32 and an IV of 16 bytes");
    }
    this.#evp = evp;
    this.#context = new EvpContext(evp);
    if (evp.EVP_EncryptInit_ex(this.#context.pointer, algorithm, null, key, iv) !== 1) {
      this.close();
      throw new MtrayError("unsupported", "cannot start AES-256-CTR: OpenSSL refused");
    }
  }

  update(bytes: Uint8Array): Uint8Array {
    const context = this.#context.pointer;
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.length <= PIECE ? bytes : bytes.subarray(at, at + PIECE);
      if (this.#evp.EVP_EncryptUpdate(context, piece, this.#written, piece, piece.length) !== 1) {
        throw new MtrayError("unsupported", "cannot encrypt: OpenSSL refused");
      }
    }
    return bytes;
  }

  close(): void {
    this.#context.close();
  }
}
