import type { Cipher } from "../../lib/crypto/types.ts";
import { MtrayError } from "../../lib/errors.ts";

/**
 * The same cipher with results that come later and elsewhere, as Web Crypto's do.
 *
 * @param from bytes of a piece that is large enough for that
 */
export function slow(cipher: Cipher, from = 0): Cipher {
  let freed = false;
  const later = async (result: Uint8Array) => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (freed) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    return result;
  };
  return {
    update: (bytes) => cipher.update(bytes),
    updateSoon: (bytes) => {
      const result = cipher.update(bytes.slice());
      return bytes.length < from ? result : later(result);
    },
    close: () => {
      freed = true;
      cipher.close();
    },
  };
}
