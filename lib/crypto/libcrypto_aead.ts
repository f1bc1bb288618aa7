import { MtrayError } from "../errors.ts";
import type { Pointer } from "../runtime/ffi.ts";
import { type Evp, EvpContext } from "./evp.ts";
import { checkKey, checkOpen, checkSeal } from "./lengths.ts";
import { type AeadAlgorithm, NONCE, type Opener, type Sealer, TAG } from "./types.ts";

/** Controls of EVP_CIPHER_CTX_ctrl, from openssl/evp.h. */
const GET_TAG = 0x10, SET_TAG = 0x11;

/** One context for all messages: to begin the next one only its nonce is set, the key stays. */
export class LibcryptoSealer implements Sealer {
  readonly #evp: Evp;
  readonly #context: EvpContext;
  readonly #written = new Uint8Array(4);

  constructor(evp: Evp, algorithm: Pointer, name: AeadAlgorithm, key: Uint8Array) {
    checkKey(name, key);
    this.#evp = evp;
    this.#context = new EvpContext(evp);
    if (evp.EVP_EncryptInit_ex(this.#context.pointer, algorithm, null, key, new Uint8Array(NONCE)) !== 1) {
      this.close();
      throw new MtrayError("unsupported", `cannot start ${name}: OpenSSL refused`);
    }
  }

  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void {
    checkSeal(nonce, text, into);
    const evp = this.#evp, context = this.#context.pointer, written = this.#written, length = text.length;
    const done = evp.EVP_EncryptInit_ex(context, null, null, null, nonce) === 1 &&
      (additional === undefined || additional.length === 0 ||
        evp.EVP_EncryptUpdate(context, null, written, additional, additional.length) === 1) &&
      (length === 0 || evp.EVP_EncryptUpdate(context, into, written, text, length) === 1) &&
      // Both are ciphers without blocks: the last step writes nothing but the tag, on demand.
      evp.EVP_EncryptFinal_ex(context, written, written) === 1 &&
      evp.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, into.subarray(length)) === 1;
    if (!done) throw new MtrayError("unsupported", "cannot encrypt: OpenSSL refused");
  }

  close(): void {
    this.#context.close();
  }
}

/** The other direction. */
export class LibcryptoOpener implements Opener {
  readonly #evp: Evp;
  readonly #context: EvpContext;
  readonly #written = new Uint8Array(4);

  constructor(evp: Evp, algorithm: Pointer, name: AeadAlgorithm, key: Uint8Array) {
    checkKey(name, key);
    this.#evp = evp;
    this.#context = new EvpContext(evp);
    if (evp.EVP_DecryptInit_ex(this.#context.pointer, algorithm, null, key, new Uint8Array(NONCE)) !== 1) {
      this.close();
      throw new MtrayError("unsupported", `cannot start ${name}: OpenSSL refused`);
    }
  }

  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean {
    checkOpen(nonce, sealed, into);
    const evp = this.#evp, context = this.#context.pointer, written = this.#written, length = into.length;
    const done = evp.EVP_DecryptInit_ex(context, null, null, null, nonce) === 1 &&
      (additional === undefined || additional.length === 0 ||
        evp.EVP_DecryptUpdate(context, null, written, additional, additional.length) === 1) &&
      (length === 0 || evp.EVP_DecryptUpdate(context, into, written, sealed, length) === 1) &&
      evp.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, sealed.subarray(length)) === 1;
    if (!done) throw new MtrayError("unsupported", "cannot decrypt: OpenSSL refused");
    return evp.EVP_DecryptFinal_ex(context, written, written) === 1;
  }

  close(): void {
    this.#context.close();
  }
}
