import { MtrayError } from "../errors.ts";
import { type FfiFunction, openLibrary, type Pointer } from "../runtime/ffi.ts";
import type { CryptoProvider, SyncCipher } from "./types.ts";

/** OpenSSL 3 and 1.1, whose calls used here are the same. */
const FILES = ["libcrypto.so.3", "libcrypto.so.1.1"];

const SIGNATURES = {
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_aes_256_ctr: { parameters: [], result: "pointer" },
  EVP_EncryptInit_ex: { parameters: ["pointer", "pointer", "pointer", "buffer", "buffer"], result: "i32" },
  EVP_EncryptUpdate: { parameters: ["pointer", "buffer", "buffer", "buffer", "i32"], result: "i32" },
} as const;

type Functions = Record<keyof typeof SIGNATURES, FfiFunction>;

/** The most that is given to OpenSSL at once; its lengths are C ints. */
const PIECE = 1 << 24;

/** The system's OpenSSL: in place, without a copy, as fast as C. Null where there is none. */
export function libcryptoProvider(): CryptoProvider | null {
  for (const file of FILES) {
    const functions = openLibrary(file, SIGNATURES);
    if (functions === null) continue;
    const algorithm = functions.EVP_aes_256_ctr() as Pointer;
    return {
      name: `${file} through FFI`,
      aes256Ctr: (key, iv) => new LibcryptoCtr(functions, algorithm, key, iv),
    };
  }
  return null;
}

/** Frees what was forgotten. Relays close their ciphers; this is for paths that nobody thought of. */
const forgotten = new FinalizationRegistry(
  ({ functions, context }: { functions: Functions; context: Pointer }) => {
    functions.EVP_CIPHER_CTX_free(context);
  },
);

class LibcryptoCtr implements SyncCipher {
  readonly asynchronous = false;
  readonly #functions: Functions;
  readonly #written = new Uint8Array(4);
  #context: Pointer;

  constructor(functions: Functions, algorithm: Pointer, key: Uint8Array, iv: Uint8Array) {
    if (key.length !== 32 || iv.length !== 16) {
      throw new RangeError("AES-256-CTR takes a key of 32 and an IV of 16 bytes");
    }
    this.#functions = functions;
    this.#context = functions.EVP_CIPHER_CTX_new() as Pointer;
    if (functions.EVP_EncryptInit_ex(this.#context, algorithm, null, key, iv) !== 1) {
      this.close();
      throw new MtrayError("unsupported", "cannot start AES-256-CTR: OpenSSL refused");
    }
    forgotten.register(this, { functions, context: this.#context }, this);
  }

  update(bytes: Uint8Array): Uint8Array {
    const context = this.#context;
    if (context === null) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.length <= PIECE ? bytes : bytes.subarray(at, at + PIECE);
      if (this.#functions.EVP_EncryptUpdate(context, piece, this.#written, piece, piece.length) !== 1) {
        throw new MtrayError("unsupported", "cannot encrypt: OpenSSL refused");
      }
    }
    return bytes;
  }

  close(): void {
    const context = this.#context;
    if (context === null) return;
    this.#context = null;
    forgotten.unregister(this);
    this.#functions.EVP_CIPHER_CTX_free(context);
  }
}
