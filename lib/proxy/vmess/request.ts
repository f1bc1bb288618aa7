/** The sealed header that a connection begins with: auth id (16), length (2 + 16), nonce (8), header (n + 16). */
import { type CryptoProvider, TAG } from "../../crypto/types.ts";
import { concat } from "../../stream/bytes.ts";
import type { Random } from "../types.ts";
import type { Account } from "./account.ts";
import { openOnce, sealOnce } from "./aead.ts";
import { AUTH_ID } from "./auth_id.ts";
import { decodeHeader, encodeHeader, MOST_HEADER_PADDING, type RequestHeader } from "./header.ts";
import { kdf12, kdf16, SALT } from "./kdf.ts";

const SEALED_LENGTH = 2 + TAG;
const NONCE = 8;
const HEADER = AUTH_ID + SEALED_LENGTH + NONCE;
/** The longest that makes sense: 38 bytes, a port, a name of 255, padding and checksum. */
const LONGEST = 512;

/** Where a header's keys come from. */
interface Seed {
  account: Account;
  authId: Uint8Array;
  nonce: Uint8Array;
}

/**
 * Makes the bytes that a connection begins with.
 *
 * @param options.seconds since 1970
 */
export function sealRequest(
  header: RequestHeader,
  options: { account: Account; seconds: number; random: Random; crypto: CryptoProvider },
): Uint8Array<ArrayBuffer> {
  const { account, seconds, random, crypto } = options;
  const authId = account.authIds.seal(seconds, random(4));
  const nonce = random(NONCE);
  const padding = random(random(1)[0] & MOST_HEADER_PADDING);
  return sealHeader(encodeHeader(header, padding), { account, authId, nonce }, crypto);
}

/** The same with everything that is random given. */
export function sealHeader(plain: Uint8Array, seed: Seed, crypto: CryptoProvider): Uint8Array<ArrayBuffer> {
  const length = Uint8Array.of(plain.length >> 8, plain.length);
  return concat(
    seed.authId,
    sealOnce(crypto, lengthKeys(seed), length),
    seed.nonce,
    sealOnce(crypto, headerKeys(seed), plain),
  );
}

/** How far the opening of a header is. */
export type Opening =
  | { kind: "more" }
  /** Not this user's, tampered with, or not understood; `why` goes on from "the header". */
  | { kind: "wrong"; why: string }
  /** `used` counts from the auth id on. */
  | { kind: "header"; header: RequestHeader; used: number };

/** Opens the header of a connection whose auth id is known to be a user's. */
export class RequestOpener {
  readonly #account: Account;
  readonly #crypto: CryptoProvider;
  #seed: Seed | null = null;
  /** Bytes of the header inside; 0 until it is known. */
  #length = 0;

  constructor(account: Account, crypto: CryptoProvider) {
    this.#account = account;
    this.#crypto = crypto;
  }

  /** @param bytes everything from the auth id on; each call with more than the last */
  open(bytes: Uint8Array): Opening {
    if (bytes.length < HEADER) return { kind: "more" };
    const seed = this.#seed ??= {
      account: this.#account,
      authId: bytes.slice(0, AUTH_ID),
      nonce: bytes.slice(AUTH_ID + SEALED_LENGTH, HEADER),
    };
    if (this.#length === 0) {
      const sealed = bytes.subarray(AUTH_ID, AUTH_ID + SEALED_LENGTH);
      const length = openOnce(this.#crypto, lengthKeys(seed), sealed);
      if (length === null) return { kind: "wrong", why: "does not open at its length" };
      this.#length = length[0] << 8 | length[1];
      if (this.#length === 0 || this.#length > LONGEST) {
        return { kind: "wrong", why: `has ${this.#length} bytes` };
      }
    }
    const used = HEADER + this.#length + TAG;
    if (bytes.length < used) return { kind: "more" };
    const plain = openOnce(this.#crypto, headerKeys(seed), bytes.subarray(HEADER, used));
    if (plain === null) return { kind: "wrong", why: "does not open" };
    const header = decodeHeader(plain);
    return typeof header === "string" ? { kind: "wrong", why: header } : { kind: "header", header, used };
  }
}

function lengthKeys({ account: { cmdKey }, authId, nonce }: Seed) {
  return {
    key: kdf16(cmdKey, SALT.requestLengthKey, authId, nonce),
    nonce: kdf12(cmdKey, SALT.requestLengthNonce, authId, nonce),
    additional: authId,
  };
}

function headerKeys({ account: { cmdKey }, authId, nonce }: Seed) {
  return {
    key: kdf16(cmdKey, SALT.requestKey, authId, nonce),
    nonce: kdf12(cmdKey, SALT.requestNonce, authId, nonce),
    additional: authId,
  };
}
