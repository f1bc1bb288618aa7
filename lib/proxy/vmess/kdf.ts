/**
 * VMess's way to make keys of keys: HMAC-SHA-256 whose hash function is another HMAC, as many as the path is long.
 */
import { sha256 } from "../../crypto/hash.ts";
import { concat } from "../../stream/bytes.ts";

/** Block size of SHA-256, and of every hash built on it. */
const BLOCK = 64;

const text = (words: string) => new TextEncoder().encode(words);

/** What keys are made for. The bytes on the wire depend on every letter. */
export const SALT = {
  authId: text("AES Auth ID Encryption"),
  requestLengthKey: text("VMess Header AEAD Key_Length"),
  requestLengthNonce: text("VMess Header AEAD Nonce_Length"),
  requestKey: text("VMess Header AEAD Key"),
  requestNonce: text("VMess Header AEAD Nonce"),
  responseLengthKey: text("AEAD Resp Header Len Key"),
  responseLengthNonce: text("AEAD Resp Header Len IV"),
  responseKey: text("AEAD Resp Header Key"),
  responseNonce: text("AEAD Resp Header IV"),
  chunkLength: text("auth_len"),
} as const;

type Hash = (message: Uint8Array) => Uint8Array;

const root = hmac(sha256, text("VMess AEAD KDF"));

/**
 * @param key the message of the innermost HMAC
 * @param path the keys of the HMACs, from the inside out
 * @returns 32 bytes
 */
export function kdf(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  return path.reduce(hmac, root)(key);
}

/** The first 16 bytes: a key. */
export function kdf16(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  return kdf(key, ...path).subarray(0, 16);
}

/** The first 12 bytes: a nonce. */
export function kdf12(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  return kdf(key, ...path).subarray(0, 12);
}

/** HMAC with any hash function, which is then one itself. */
function hmac(hash: Hash, key: Uint8Array): Hash {
  const padded = new Uint8Array(BLOCK);
  padded.set(key.length > BLOCK ? hash(key) : key);
  const inner = padded.map((byte) => byte ^ 0x36), outer = padded.map((byte) => byte ^ 0x5c);
  return (message) => hash(concat(outer, hash(concat(inner, message))));
}
