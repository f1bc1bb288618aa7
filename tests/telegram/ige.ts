/** AES-256-IGE, MTProto's cipher mode, which node:crypto has not: made of single ECB blocks. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { xor } from "./bytes.ts";

const BLOCK = 16;

/** @param iv 32 bytes: the ciphertext and the plaintext before the first block */
export function encryptIge(plain: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return chain(plain, iv.subarray(0, BLOCK), iv.subarray(BLOCK), (block) => cipher.update(block));
}

export function decryptIge(encrypted: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array<ArrayBuffer> {
  const decipher = createDecipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return chain(encrypted, iv.subarray(BLOCK), iv.subarray(0, BLOCK), (block) => decipher.update(block));
}

/** out[i] = transform(in[i] xor out[i−1]) xor in[i−1]: the same form both ways. */
function chain(
  input: Uint8Array,
  outBefore: Uint8Array,
  inBefore: Uint8Array,
  transform: (block: Uint8Array) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (input.length % BLOCK !== 0) {
    throw new Error(`cannot use IGE: ${input.length} bytes are no whole blocks`);
  }
  const output = new Uint8Array(input.length);
  for (let at = 0; at < input.length; at += BLOCK) {
    const block = input.subarray(at, at + BLOCK);
    const result = xor(transform(xor(block, outBefore)), inBefore);
    output.set(result, at);
    [outBefore, inBefore] = [result, block];
  }
  return output;
}
