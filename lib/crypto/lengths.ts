import { AEAD_KEY, type AeadAlgorithm, NONCE, type Part, type Place, TAG } from "./types.ts";

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

/** @throws {RangeError} The same for parts of buffers: a native library would go beyond them. */
export function checkSealPart(nonce: Uint8Array, text: Part, into: Place): void {
  if (nonce.length !== NONCE) throw new RangeError(`a nonce has ${NONCE} bytes`);
  checkInside(text, text.length);
  checkInside(into, text.length + TAG);
}

/** @throws {RangeError} The same the other way round. */
export function checkOpenPart(nonce: Uint8Array, sealed: Part, into: Place): void {
  if (nonce.length !== NONCE) throw new RangeError(`a nonce has ${NONCE} bytes`);
  if (!(sealed.length >= TAG)) throw new RangeError(`a sealed text has at least ${TAG} bytes`);
  checkInside(sealed, sealed.length);
  checkInside(into, sealed.length - TAG);
}

function checkInside({ bytes, at }: Place, length: number): void {
  // Said so that what is no number, or no whole one, does not pass either.
  if (
    !(at >= 0 && length >= 0 && at + length <= bytes.length) || (at | 0) !== at || (length | 0) !== length
  ) {
    throw new RangeError("a part must lie inside its buffer");
  }
}
