import { MtrayError } from "../errors.ts";
import { runtimeName } from "../runtime/name.ts";
import { checkKey, checkOpen, checkSeal } from "./lengths.ts";
import { NobleOpener, NobleSealer } from "./noble_aead.ts";
import { nodeCrypto } from "./node_crypto.ts";
import { NodeCtr } from "./node_ctr.ts";
import { type AeadAlgorithm, type CryptoProvider, type Opener, type Sealer, TAG } from "./types.ts";

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

class NodeSealer extends Keyed implements Sealer {
  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void {
    checkSeal(nonce, text, into);
    const cipher = nodeCrypto().createCipheriv(this.algorithm as "aes-128-gcm", this.key, nonce, {
      authTagLength: TAG,
    });
    if (additional !== undefined) cipher.setAAD(additional);
    const length = text.length;
    if (length > 0) into.set(cipher.update(text));
    cipher.final();
    into.set(cipher.getAuthTag(), length);
  }
}

class NodeOpener extends Keyed implements Opener {
  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean {
    checkOpen(nonce, sealed, into);
    const cipher = nodeCrypto().createDecipheriv(this.algorithm as "aes-128-gcm", this.key, nonce, {
      authTagLength: TAG,
    });
    if (additional !== undefined) cipher.setAAD(additional);
    const length = into.length;
    cipher.setAuthTag(sealed.subarray(length));
    const text = length > 0 ? cipher.update(sealed.subarray(0, length)) : null;
    try {
      cipher.final();
    } catch {
      return false;
    }
    if (text !== null) into.set(text);
    return true;
  }
}
