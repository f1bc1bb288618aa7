/** What the answer begins with: length (2 + 16) and header (4 or more, + 16), both sealed. */
import { sha256 } from "../../crypto/hash.ts";
import { type CryptoProvider, TAG } from "../../crypto/types.ts";
import { MtrayError } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import { openOnce, sealOnce } from "./aead.ts";
import { kdf12, kdf16, SALT } from "./kdf.ts";

/** Key and IV of one direction, 16 bytes each. */
export interface DirectionKeys {
  key: Uint8Array;
  iv: Uint8Array;
}

const SEALED_LENGTH = 2 + TAG;
/** Check byte, options, command, length of the command. */
const SHORTEST = 4;
/** A command is 255 bytes at most. */
const LONGEST = SHORTEST + 255;

/** The keys of the answer, made of the request's. */
export function responseKeys(request: DirectionKeys): DirectionKeys {
  return { key: sha256(request.key).subarray(0, 16), iv: sha256(request.iv).subarray(0, 16) };
}

/** @param check of the request's header */
export function sealResponse(
  keys: DirectionKeys,
  check: number,
  crypto: CryptoProvider,
): Uint8Array<ArrayBuffer> {
  const plain = Uint8Array.of(check, 0, 0, 0);
  return concat(
    sealOnce(crypto, lengthKeys(keys), Uint8Array.of(0, plain.length)),
    sealOnce(crypto, headerKeys(keys), plain),
  );
}

/** Takes the header off what a server sends, in pieces of any size. */
export class ResponseOpener {
  readonly #keys: DirectionKeys;
  readonly #check: number;
  readonly #crypto: CryptoProvider;
  #bytes = new Uint8Array(SEALED_LENGTH);
  #have = 0;
  /** Bytes of the whole; 0 until it is known. */
  #whole = 0;

  /** @param keys of the answer */
  constructor(keys: DirectionKeys, check: number, crypto: CryptoProvider) {
    this.#keys = keys;
    this.#check = check;
    this.#crypto = crypto;
  }

  /** Whether any of it has come. */
  get begun(): boolean {
    return this.#have > 0;
  }

  /**
   * @returns what follows the header, as soon as all of it has come; null until then
   * @throws {MtrayError} `protocol`
   */
  read(bytes: Uint8Array): Uint8Array | null {
    let rest = this.#fill(bytes);
    if (rest === null) return null;
    if (this.#whole === 0) {
      const length = openOnce(this.#crypto, lengthKeys(this.#keys), this.#bytes);
      if (length === null) throw broken("its length does not open");
      const plain = length[0] << 8 | length[1];
      if (plain < SHORTEST || plain > LONGEST) throw broken(`it has ${plain} bytes`);
      this.#whole = SEALED_LENGTH + plain + TAG;
      this.#bytes = concat(this.#bytes, new Uint8Array(plain + TAG));
      rest = this.#fill(rest);
      if (rest === null) return null;
    }
    const plain = openOnce(this.#crypto, headerKeys(this.#keys), this.#bytes.subarray(SEALED_LENGTH));
    if (plain === null) throw broken("it does not open");
    if (plain[0] !== this.#check) throw broken("it answers another request");
    // Options are an echo that some servers send. The one command there is, a change of port, may be ignored.
    return rest;
  }

  #fill(bytes: Uint8Array): Uint8Array | null {
    const some = bytes.subarray(0, this.#bytes.length - this.#have);
    this.#bytes.set(some, this.#have);
    this.#have += some.length;
    return this.#have < this.#bytes.length ? null : bytes.subarray(some.length);
  }
}

function broken(why: string): MtrayError {
  return new MtrayError("protocol", `cannot read the VMess server's answer: ${why}`);
}

function lengthKeys({ key, iv }: DirectionKeys) {
  return { key: kdf16(key, SALT.responseLengthKey), nonce: kdf12(iv, SALT.responseLengthNonce) };
}

function headerKeys({ key, iv }: DirectionKeys) {
  return { key: kdf16(key, SALT.responseKey), nonce: kdf12(iv, SALT.responseNonce) };
}
