import { MtrayError } from "../errors.ts";
import { runtimeName } from "../runtime/name.ts";
import { checkKey, checkOpen, checkOpenPart, checkSeal, checkSealPart } from "./lengths.ts";
import { NobleOpener, NobleSealer } from "./noble_aead.ts";
import { nodeCrypto } from "./node_crypto.ts";
import { NodeCtr } from "./node_ctr.ts";
import {
  type AeadAlgorithm,
  type CryptoProvider,
  type Opener,
  type Part,
  type Place,
  type Sealer,
  TAG,
} from "./types.ts";

/** Bun's node:crypto has no ChaCha20-Poly1305. */
const isHere: Readonly<Record<AeadAlgorithm, boolean>> = {
  "aes-128-gcm": true,
  "chacha20-poly1305": runtimeName === "deno",
};

/** The runtime's own node:crypto: OpenSSL's speed on Bun, about a tenth of it on Deno. Always there. */
export const nodeProvider: CryptoProvider = {
  name: isHere["chacha20-poly1305"] ? "node:crypto" : "node:crypto, JavaScript for ChaCha20-Poly1305",
  fastAes128Gcm: runtimeName === "bun",
  aes256Ctr: (key, iv) => new NodeCtr(key, iv),
  sealer: (algorithm, key) =>
    isHere[algorithm] ? new NodeSealer(algorithm, key) : new NobleSealer(algorithm, key),
  opener: (algorithm, key) =>
    isHere[algorithm] ? new NodeOpener(algorithm, key) : new NobleOpener(algorithm, key),
};

/** node:crypto has no call for the next message of the same key: each has a cipher of its own. */
abstract class Keyed {
  readonly #key: Uint8Array;
  #closed = false;

  constructor(protected readonly algorithm: AeadAlgorithm, key: Uint8Array) {
    checkKey(algorithm, key);
    this.#key = key.slice();
  }

  protected get key(): Uint8Array {
    if (this.#closed) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    return this.#key;
  }

  close(): void {
    this.#closed = true;
    this.#key.fill(0);
  }
}

// Without an authTagLength, which costs a tenth of a short message: it is 16 bytes, and `setAuthTag` is given no other.

class NodeSealer extends Keyed implements Sealer {
  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void {
    checkSeal(nonce, text, into);
    this.#seal(nonce, text, { bytes: into, at: 0 }, additional);
  }

  sealPart(nonce: Uint8Array, text: Part, into: Place): void {
    checkSealPart(nonce, text, into);
    this.#seal(nonce, text.bytes.subarray(text.at, text.at + text.length), into);
  }

  #seal(nonce: Uint8Array, text: Uint8Array, { bytes, at }: Place, additional?: Uint8Array): void {
    const cipher = nodeCrypto().createCipheriv(this.algorithm as "aes-128-gcm", this.key, nonce);
    if (additional !== undefined) cipher.setAAD(additional);
    if (text.length > 0) bytes.set(cipher.update(text), at);
    cipher.final();
    bytes.set(cipher.getAuthTag(), at + text.length);
  }
}

class NodeOpener extends Keyed implements Opener {
  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean {
    checkOpen(nonce, sealed, into);
    const part = { bytes: sealed, at: 0, length: sealed.length };
    return this.#open(nonce, part, { bytes: into, at: 0 }, additional);
  }

  openPart(nonce: Uint8Array, sealed: Part, into: Place): boolean {
    checkOpenPart(nonce, sealed, into);
    return this.#open(nonce, sealed, into);
  }

  #open(nonce: Uint8Array, sealed: Part, into: Place, additional?: Uint8Array): boolean {
    const cipher = nodeCrypto().createDecipheriv(this.algorithm as "aes-128-gcm", this.key, nonce);
    if (additional !== undefined) cipher.setAAD(additional);
    const { bytes, at } = sealed, length = sealed.length - TAG;
    for (let i = 0; i < TAG; i++) tag[i] = bytes[at + length + i];
    cipher.setAuthTag(tag);
    const text = length > 0 ? cipher.update(bytes.subarray(at, at + length)) : null;
    try {
      cipher.final();
    } catch {
      return false;
    }
    if (text !== null) into.bytes.set(text, into.at);
    return true;
  }
}

/** What is handed over, a view less for each message. */
const tag = new Uint8Array(TAG);
