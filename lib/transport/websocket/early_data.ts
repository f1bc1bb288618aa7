/**
 * Early data: the first bytes of a connection inside the request for it, as base64 for URLs without padding. V2Ray
 * appends it to the path or puts it in a header that the config names; Xray always in Sec-WebSocket-Protocol.
 */

/** Where Xray looks for it, whatever its config says. */
export const XRAY_HEADER = "Sec-WebSocket-Protocol";

export function encodeEarlyData(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @returns null for what is not base64 */
export function decodeEarlyData(text: string): Uint8Array | null {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return null;
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
}
