/** One message with a key of its own, as headers are sealed. */
import { type CryptoProvider, TAG } from "../../crypto/types.ts";

/** @param additional is covered by the tag */
export function sealOnce(
  crypto: CryptoProvider,
  { key, nonce, additional }: { key: Uint8Array; nonce: Uint8Array; additional?: Uint8Array },
  text: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(text.length + TAG);
  const sealer = crypto.sealer("aes-128-gcm", key);
  try {
    sealer.seal(nonce, text, sealed, additional);
  } finally {
    sealer.close();
  }
  return sealed;
}

/** @returns null when the tag does not fit */
export function openOnce(
  crypto: CryptoProvider,
  { key, nonce, additional }: { key: Uint8Array; nonce: Uint8Array; additional?: Uint8Array },
  sealed: Uint8Array,
): Uint8Array<ArrayBuffer> | null {
  const text = new Uint8Array(sealed.length - TAG);
  const opener = crypto.opener("aes-128-gcm", key);
  try {
    return opener.open(nonce, sealed, text, additional) ? text : null;
  } finally {
    opener.close();
  }
}
