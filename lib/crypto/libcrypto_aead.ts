import { MtrayError } from "../errors.ts";
import { from, type Pointer } from "../runtime/ffi.ts";
import { type Evp, EvpContext } from "./evp.ts";
import { GcmParameters } from "./gcm_parameters.ts";
import { checkKey, checkOpen, checkOpenPart, checkSeal, checkSealPart } from "./lengths.ts";
import { type AeadAlgorithm, NONCE, type Opener, type Part, type Place, type Sealer, TAG } from "./types.ts";

/** Controls of EVP_CIPHER_CTX_ctrl, from openssl/evp.h. */
const GET_TAG = 0x10, SET_TAG = 0x11;

const NO_NONCE = new Uint8Array(NONCE);

/** One context for all messages: to begin the next one only its nonce is set, the key stays. */
export class LibcryptoSealer implements Sealer {
  readonly #evp: Evp;
  readonly #context: EvpContext;

  constructor(evp: Evp, algorithm: Pointer, name: AeadAlgorithm, key: Uint8Array) {
    checkKey(name, key);
    this.#evp = evp;
    this.#context = new EvpContext(evp);
    if (evp.EVP_EncryptInit_ex(this.#context.pointer, algorithm, null, key, NO_NONCE) !== 1) {
      this.close();
      throw new MtrayError("unsupported", `cannot start ${name}: OpenSSL refused`);
    }
  }

  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void {
    checkSeal(nonce, text, into);
    this.#seal(nonce, { bytes: text, at: 0, length: text.length }, { bytes: into, at: 0 }, additional);
  }

  sealPart(nonce: Uint8Array, text: Part, into: Place): void {
    checkSealPart(nonce, text, into);
    this.#seal(nonce, text, into);
  }

  close(): void {
    this.#context.close();
  }

  #seal(nonce: Uint8Array, { bytes, at, length }: Part, into: Place, additional?: Uint8Array): void {
    const evp = this.#evp, context = this.#context.pointer, written = evp.written;
    const done = evp.EVP_EncryptInit_ex(context, null, null, null, nonce) === 1 &&
      (additional === undefined || additional.length === 0 ||
        evp.EVP_EncryptUpdate(context, null, written, additional, additional.length) === 1) &&
      (length === 0 ||
        evp.EVP_EncryptUpdate(context, from(into.bytes, into.at), written, from(bytes, at), length) === 1) &&
      // Both are ciphers without blocks: the last step writes nothing but the tag, on demand.
      evp.EVP_EncryptFinal_ex(context, written, written) === 1 &&
      evp.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, from(into.bytes, into.at + length)) === 1;
    if (!done) throw new MtrayError("unsupported", "cannot encrypt: OpenSSL refused");
  }
}

/** The other direction. */
export class LibcryptoOpener implements Opener {
  readonly #evp: Evp;
  readonly #context: EvpContext;
  /** Null: nonce and tag are set one after the other. */
  readonly #parameters: GcmParameters | null;

  /** @param parameters for AES-128-GCM, where there are such */
  constructor(
    evp: Evp,
    { algorithm, name, parameters }: {
      algorithm: Pointer;
      name: AeadAlgorithm;
      parameters: GcmParameters | null;
    },
    key: Uint8Array,
  ) {
    checkKey(name, key);
    this.#evp = evp;
    this.#context = new EvpContext(evp);
    this.#parameters = parameters;
    const context = this.#context.pointer;
    const begun = evp.EVP_DecryptInit_ex(context, algorithm, null, key, NO_NONCE) === 1 &&
      (parameters === null || parameters.allow(context));
    if (begun) return;
    this.close();
    throw new MtrayError("unsupported", `cannot start ${name}: OpenSSL refused`);
  }

  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean {
    checkOpen(nonce, sealed, into);
    return this.#open(
      nonce,
      { bytes: sealed, at: 0, length: sealed.length },
      { bytes: into, at: 0 },
      additional,
    );
  }

  openPart(nonce: Uint8Array, sealed: Part, into: Place): boolean {
    checkOpenPart(nonce, sealed, into);
    return this.#open(nonce, sealed, into);
  }

  close(): void {
    this.#context.close();
  }

  #open(nonce: Uint8Array, sealed: Part, into: Place, additional?: Uint8Array): boolean {
    const evp = this.#evp, context = this.#context.pointer, written = evp.written;
    const { bytes, at } = sealed, length = sealed.length - TAG;
    const done = this.#begin(context, nonce, { bytes, at: at + length }) &&
      (additional === undefined || additional.length === 0 ||
        evp.EVP_DecryptUpdate(context, null, written, additional, additional.length) === 1) &&
      (length === 0 ||
        evp.EVP_DecryptUpdate(context, from(into.bytes, into.at), written, from(bytes, at), length) === 1);
    if (!done) throw new MtrayError("unsupported", "cannot decrypt: OpenSSL refused");
    return evp.EVP_DecryptFinal_ex(context, written, written) === 1;
  }

  #begin(context: Pointer, nonce: Uint8Array, tag: Place): boolean {
    if (this.#parameters !== null) return this.#parameters.set(context, nonce, tag);
    return this.#evp.EVP_DecryptInit_ex(context, null, null, null, nonce) === 1 &&
      this.#evp.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, from(tag.bytes, tag.at)) === 1;
  }
}
