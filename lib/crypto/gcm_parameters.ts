import { addressOf, type FfiFunction, pinned, type Pointer } from "../runtime/ffi.ts";
import type { Evp } from "./evp.ts";
import { NONCE, type Place, TAG } from "./types.ts";

/** A control of EVP_CIPHER_CTX_ctrl, from openssl/evp.h: with length -1 it sets a nonce whole. */
const SET_IV_FIXED = 0x12;

/** Bytes of an OSSL_PARAM: name, type, data, size, and one for answers; 8 each. */
const PARAMETER = 40;
/** Its type for bytes, from openssl/core.h. */
const OCTET_STRING = 5;

/** Where everything lies in the memory that OpenSSL reads: two parameters and an empty one, then what they name. */
const NONCE_AT = 3 * PARAMETER, TAG_AT = NONCE_AT + 16, NAMES_AT = TAG_AT + TAG;

/**
 * Hands OpenSSL 3 the nonce and the tag of a message that is to be opened with AES-128-GCM, both in one call: a third
 * cheaper than setting one after the other, which matters with messages of 2 KB.
 *
 * The nonce goes by a name that TLS has for it: once one was set as fixed, its last n bytes can be replaced, and so can
 * all twelve (EVP_EncryptInit(3), "tlsivinv"). One object serves all openers: OpenSSL copies what it reads.
 */
export class GcmParameters {
  readonly #set: FfiFunction;
  readonly #control: FfiFunction;
  readonly #memory = new Uint8Array(256);
  readonly #pointer: Pointer;

  private constructor(set: FfiFunction, control: FfiFunction) {
    this.#set = set;
    this.#control = control;
    const memory = this.#memory;
    this.#pointer = pinned(memory);
    const address = addressOf(this.#pointer), view = new DataView(memory.buffer);
    let name = NAMES_AT;
    const describe = (i: number, { key, at, length }: { key: string; at: number; length: number }) => {
      memory.set(new TextEncoder().encode(`${key}\0`), name);
      const fields = [address + BigInt(name), BigInt(OCTET_STRING), address + BigInt(at), BigInt(length)];
      fields.forEach((field, j) => view.setBigUint64(i * PARAMETER + j * 8, field, true));
      name += key.length + 1;
    };
    describe(0, { key: "tag", at: TAG_AT, length: TAG });
    describe(1, { key: "tlsivinv", at: NONCE_AT, length: NONCE });
  }

  /** Null before OpenSSL 3. */
  static of(evp: Evp): GcmParameters | null {
    const set = evp.setParameters;
    return set === null ? null : new GcmParameters(set, evp.EVP_CIPHER_CTX_ctrl);
  }

  /** Lets nonces be set in a context that has a key. */
  allow(context: Pointer): boolean {
    return this.#control(context, SET_IV_FIXED, -1, this.#memory.subarray(NONCE_AT, NONCE_AT + NONCE)) === 1;
  }

  /** Begins a message. */
  set(context: Pointer, nonce: Uint8Array, { bytes, at }: Place): boolean {
    const memory = this.#memory;
    for (let i = 0; i < NONCE; i++) memory[NONCE_AT + i] = nonce[i];
    for (let i = 0; i < TAG; i++) memory[TAG_AT + i] = bytes[at + i];
    return this.#set(context, this.#pointer) === 1;
  }
}
