import { MtrayError } from "../../errors.ts";
import { hostName } from "../../settings/address.ts";

/**
 * What a client and the proxy share.
 *
 * - `classic`  any framing
 * - `dd`       the client pads its packets (some clients under it do not)
 * - `ee`       the client speaks FakeTLS and names `domain`
 */
export interface Secret {
  kind: "classic" | "dd" | "ee";
  /** 16 bytes, without the prefix and without the domain. */
  key: Uint8Array;
  /** A host name in lower case for `ee`, else empty. */
  domain: string;
}

const KEY_LENGTH = 16;
const PREFIXES = { classic: "", dd: "dd", ee: "ee" } as const;
const FORMS = "must be 32 hex characters, or dd/ee and a secret";

/**
 * Reads a secret: 32 hex characters, `dd` and 32, `ee` and 32 and the domain's bytes; or the same bytes in base64 or
 * base64url, padded or not. Text that is hex of a possible length is hex, whatever base64 would make of it.
 *
 * @throws {MtrayError} `config`, with a message that goes on from a name ("must be …") and never holds the text
 */
export function parseSecret(text: string): Secret {
  if (text === "") refuse("must not be empty");
  if (/\s/.test(text)) refuse("must not contain blanks");
  const hex = /^[0-9a-f]*$/i.test(text) ? text.toLowerCase() : null;
  if (hex?.length === 2 * KEY_LENGTH) return { kind: "classic", key: bytesOfHex(hex), domain: "" };
  if (hex?.length === 2 * KEY_LENGTH + 2 && hex.startsWith("dd")) return prefixed(bytesOfHex(hex));
  if (hex !== null && hex.startsWith("ee") && hex.length >= 2 * KEY_LENGTH + 2) {
    if (hex.length % 2 === 1) {
      refuse(`must have two hex characters for each byte; got ${hex.length} characters`);
    }
    return prefixed(bytesOfHex(hex));
  }
  const bytes = bytesOfBase64(text);
  if (bytes?.length === KEY_LENGTH) return { kind: "classic", key: bytes, domain: "" };
  if (bytes !== null && isPrefixed(bytes)) return prefixed(bytes);
  const looksHex = hex !== null || /^(?:dd|ee)?[0-9a-f]{20}/i.test(text);
  if (looksHex || bytes === null) refuse(`${FORMS}; got ${countOf(text, hex !== null)}`);
  refuse(`${FORMS}, or base64url of the same bytes; got base64 of ${bytes.length} bytes`);
}

/** The secret as hex, the form that every client takes. */
export function formatSecret(secret: Secret): string {
  return PREFIXES[secret.kind] + hexOf(secret.key) + hexOf(new TextEncoder().encode(secret.domain));
}

function isPrefixed(bytes: Uint8Array): boolean {
  if (bytes[0] === 0xdd) return bytes.length === KEY_LENGTH + 1;
  return bytes[0] === 0xee && bytes.length > KEY_LENGTH;
}

function prefixed(bytes: Uint8Array): Secret {
  const key = bytes.slice(1, KEY_LENGTH + 1);
  if (bytes[0] === 0xdd) return { kind: "dd", key, domain: "" };
  const rest = bytes.subarray(KEY_LENGTH + 1);
  if (rest.length === 0) refuse("must name a domain after ee and 32 hex characters, as hex; got none");
  if (rest.some((byte) => byte > 0x7f)) {
    refuse("must name a domain in ASCII; write an international name in its xn-- form");
  }
  // No IP address either: a client cannot put one into SNI.
  const domain = hostName(String.fromCharCode(...rest.subarray(0, 254)));
  if (domain === null) refuse("must name a domain that is a host name, such as example.com");
  return { kind: "ee", key, domain };
}

function countOf(text: string, isHex: boolean): string {
  if (isHex) return `${text.length} characters`;
  const strange = [...text].filter((letter) => !/[0-9a-f]/i.test(letter)).length;
  return `${text.length} characters, ${strange} of them not hex`;
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Null where the text is no base64 of either alphabet. */
function bytesOfBase64(text: string): Uint8Array | null {
  const digits = text.replace(/={1,2}$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) return null;
  return Uint8Array.from(atob(digits), (letter) => letter.charCodeAt(0));
}

function refuse(why: string): never {
  throw new MtrayError("config", why);
}
