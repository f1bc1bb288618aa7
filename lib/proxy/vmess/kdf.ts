/**
 * VMess's way to make keys of keys: HMAC-SHA-256 whose hash function is another HMAC, as many as the path is long.
 */
import { Sha256State } from "../../crypto/sha256_state.ts";

/** Block size of SHA-256, and of every hash built on it. */
const BLOCK = 64;

/** What is worked in, and overwritten by the next call. */
const pad = new Uint8Array(BLOCK), result = new Uint8Array(32);

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

/** An HMAC's key, absorbed: what goes on inside, and what begins the outer hash. */
interface Keyed {
  inner: Sha256State;
  outer: Sha256State;
}

/** The outermost key, and the keys of paths that begin with a salt: the same for everybody. */
interface Prepared {
  root: Keyed;
  salted: Map<Uint8Array, Keyed>;
}

let prepared: Prepared | undefined;

function prepare(): Prepared {
  const root = keyed(new Sha256State(), text("VMess AEAD KDF"));
  return { root, salted: new Map(Object.values(SALT).map((salt) => [salt, keyed(root.inner, salt)])) };
}

/**
 * @param key the message of the innermost HMAC
 * @param path the keys of the HMACs, from the inside out
 * @returns 32 bytes
 */
export function kdf(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  const { root, salted } = prepared ??= prepare();
  const levels = [root];
  for (const element of path) {
    const inside = levels[levels.length - 1].inner;
    const known = levels.length === 1 ? salted.get(element) : undefined;
    const short = element.length > BLOCK ? digest(levels, inside, element).slice() : element;
    levels.push(known ?? keyed(inside, short));
  }
  return digest(levels, levels[levels.length - 1].inner, key).slice();
}

/** The first 16 bytes: a key. */
export function kdf16(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  return kdf(key, ...path).subarray(0, 16);
}

/** The first 12 bytes: a nonce. */
export function kdf12(key: Uint8Array, ...path: Uint8Array[]): Uint8Array {
  return kdf(key, ...path).subarray(0, 12);
}

/** An HMAC whose hash function is the one that `inside` is the beginning of. */
function keyed(inside: Sha256State, key: Uint8Array): Keyed {
  const padded = (byte: number) => {
    pad.fill(byte);
    for (let i = 0; i < key.length; i++) pad[i] ^= key[i];
    return inside.after(pad);
  };
  return { inner: padded(0x36), outer: padded(0x5c) };
}

/**
 * What the HMAC of the last level makes of a message, when `state` has its key: the result of the level below is the
 * message of the same once more, with this level's outer key.
 *
 * @returns memory that the next call overwrites
 */
function digest(
  levels: readonly Keyed[],
  state: Sha256State,
  message: Uint8Array,
  level = levels.length,
): Uint8Array {
  if (level === 0) return state.digest(message, result);
  const inner = digest(levels, state, message, level - 1);
  return digest(levels, levels[level - 1].outer, inner, level - 1);
}
