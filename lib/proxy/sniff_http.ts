import { requestedName } from "./requested_host.ts";

const METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"];

/**
 * Looks for a request of HTTP/1.
 *
 * @param bytes the first that a client sent, so far
 * @returns the name in its Host header, if there is one; "more" while that is open; null when it is no request
 */
export function sniffHttp(bytes: Uint8Array): { domain?: string } | "more" | null {
  const text = latin1(bytes);
  if (!METHODS.some((method) => `${method} `.startsWith(text.slice(0, method.length + 1)))) return null;
  const lines = text.split("\n");
  // The last one has no end yet.
  const whole = lines.slice(0, -1).map((line) => line.replace(/\r$/, ""));
  if (whole.length === 0) return "more";
  if (!/^[A-Z]+ [^ ]+ HTTP\/1\.[01]$/.test(whole[0])) return null;
  for (const line of whole.slice(1)) {
    if (line === "") return {};
    const host = /^host:[ \t]*(.*?)(?::[0-9]*)?[ \t]*$/i.exec(line);
    if (host === null) continue;
    const domain = requestedName(host[1]);
    return domain === null ? {} : { domain };
  }
  return "more";
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
