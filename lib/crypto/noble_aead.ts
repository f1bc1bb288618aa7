import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { MtrayError } from "../errors.ts";
import { checkKey, checkOpen, checkOpenPart, checkSeal, checkSealPart } from "./lengths.ts";
import { type AeadAlgorithm, type Opener, type Part, type Place, type Sealer, TAG } from "./types.ts";

const ALGORITHMS = { "aes-128-gcm": gcm, "chacha20-poly1305": chacha20poly1305 };

abstract class Keyed {
  readonly #algorithm: AeadAlgorithm;
  readonly #key: Uint8Array;
  #closed = false;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    checkKey(algorithm, key);
    this.#algorithm = algorithm;
    this.#key = key.slice();
  }

  protected cipher(nonce: Uint8Array, additional: Uint8Array | undefined) {
    if (this.#closed) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    return ALGORITHMS[this.#algorithm](this.#key, nonce, additional);
  }

  close(): void {
    this.#closed = true;
    this.#key.fill(0);
  }
}

export class NobleSealer extends Keyed implements Sealer {
  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void {
    checkSeal(nonce, text, into);
    into.set(this.cipher(nonce, additional).encrypt(text));
  }

  sealPart(nonce: Uint8Array, text: Part, into: Place): void {
    checkSealPart(nonce, text, into);
    this.seal(nonce, bytesOf(text), bytesOf({ ...into, length: text.length + TAG }));
  }
}

export class NobleOpener extends Keyed implements Opener {
  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean {
    checkOpen(nonce, sealed, into);
    const cipher = this.cipher(nonce, additional);
    let text: Uint8Array;
    try {
      text = cipher.decrypt(sealed);
    } catch {
      // All lengths are right, so it is the tag.
      return false;
    }
    into.set(text);
    return true;
  }

  openPart(nonce: Uint8Array, sealed: Part, into: Place): boolean {
    checkOpenPart(nonce, sealed, into);
    return this.open(nonce, bytesOf(sealed), bytesOf({ ...into, length: sealed.length - TAG }));
  }
}

function bytesOf({ bytes, at, length }: Part): Uint8Array {
  return bytes.subarray(at, at + length);
}
