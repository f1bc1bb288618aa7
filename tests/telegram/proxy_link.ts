/** Links that Telegram clients open: `tg://proxy?…` and `https://t.me/proxy?…`. */
import { unhex } from "./bytes.ts";

export type SecretKind = "classic" | "dd" | "ee";

export interface ProxySecret {
  kind: SecretKind;
  /** The 16 bytes that keys are made with. */
  bytes: Uint8Array;
  /** What SNI must name; `ee` only. */
  domain?: string;
}

export interface ProxyLink {
  server: string;
  port: number;
  secret: ProxySecret;
  /** The secret as it stands in the link. */
  secretText: string;
}

/** Throws when the link is not one that clients understand. */
export function parseProxyLink(link: string): ProxyLink {
  const url = new URL(link);
  const isTg = url.protocol === "tg:" &&
    (url.host === "proxy" || url.pathname.replaceAll("/", "") === "proxy");
  const isTme = url.protocol === "https:" && url.host === "t.me" && url.pathname === "/proxy";
  if (!isTg && !isTme) throw new Error(`cannot read link: neither tg://proxy nor https://t.me/proxy`);
  const field = (name: string) => {
    const value = url.searchParams.get(name);
    if (!value) throw new Error(`cannot read link: no ${name}`);
    return value;
  };
  const port = Number(field("port"));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error("cannot read link: no such port");
  const secretText = field("secret");
  return { server: field("server"), port, secret: parseSecret(secretText), secretText };
}

/** Reads a secret in hexadecimal or base64url, as clients do. */
export function parseSecret(text: string): ProxySecret {
  const bytes = /^([0-9a-f]{2})+$/i.test(text)
    ? unhex(text)
    : Uint8Array.fromBase64(text, { alphabet: text.match(/[+/]/) ? "base64" : "base64url" });
  if (bytes.length === 16) return { kind: "classic", bytes };
  if (bytes.length === 17 && bytes[0] === 0xdd) return { kind: "dd", bytes: bytes.slice(1) };
  if (bytes.length > 17 && bytes[0] === 0xee) {
    return { kind: "ee", bytes: bytes.slice(1, 17), domain: new TextDecoder().decode(bytes.subarray(17)) };
  }
  throw new Error(`cannot read secret: ${bytes.length} bytes of no known kind`);
}
