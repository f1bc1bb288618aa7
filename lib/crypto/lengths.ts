import { AEAD_KEY, type AeadAlgorithm, NONCE, TAG } from "./types.ts";

/** @throws {RangeError} A native library would read beyond a key that is too short. */
export function checkKey(algorithm: AeadAlgorithm, key: Uint8Array): void {
  const length = AEAD_KEY[algorithm];
  if (key.length !== length) throw new RangeError(`${algorithm} takes a key of ${length} bytes`);
}

/** @throws {RangeError} A native library would write beyond a buffer that is too short. */
export function checkSeal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array): void {
  if (nonce.length !== NONCE) throw new RangeError(`a nonce has ${NONCE} bytes`);
  if (into.length !== text.length + TAG) throw new RangeError(`a sealed text is ${TAG} bytes longer`);
}

/** @throws {RangeError} The same the other way round. */
export function checkOpen(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array): void {
  if (nonce.length !== NONCE) throw new RangeError(`a nonce has ${NONCE} bytes`);
  if (sealed.length < TAG) throw new RangeError(`a sealed text has at least ${TAG} bytes`);
  if (into.length !== sealed.length - TAG) throw new RangeError(`a text is ${TAG} bytes shorter`);
}
