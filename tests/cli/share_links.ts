/** Writers of share links, as the programs that make them do it, and a generator of what they stand for. */
import fc from "fast-check";
import type { SharedOutbound } from "../../lib/cli/share_outbound.ts";

/** What a link can say of a server. */
export interface Shared {
  name: string;
  address: string;
  port: number;
  id: string;
  security: string;
  network: "tcp" | "ws" | "httpupgrade";
  /** tcp that begins like HTTP. */
  httpHeader: boolean;
  host: string;
  path: string;
  tls?: { sni: string; alpn: string[]; allowInsecure: boolean };
}

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const domain = fc.tuple(label, label).map(([a, b]) => `${a}.${b}`);
const address = fc.oneof(domain, fc.ipV4(), fc.constant("2001:db8::1"));
const pathPart = fc.stringMatching(/^[A-Za-z0-9+%&=?._~!-]{0,12}$/);

export const shared: fc.Arbitrary<Shared> = fc.record({
  name: fc.string({ unit: "grapheme", maxLength: 12 }),
  address,
  port: fc.integer({ min: 1, max: 65535 }),
  id: fc.uuid(),
  security: fc.constantFrom("auto", "aes-128-gcm", "chacha20-poly1305", "none", "zero"),
  network: fc.constantFrom("tcp", "ws", "httpupgrade"),
  httpHeader: fc.boolean(),
  host: fc.oneof(fc.constant(""), domain),
  path: pathPart.map((part) => `/${part}`),
  tls: fc.option(
    fc.record({
      sni: fc.oneof(fc.constant(""), domain),
      alpn: fc.subarray(["h2", "http/1.1"]),
      allowInsecure: fc.boolean(),
    }),
    { nil: undefined },
  ),
}).map((each) => ({ ...each, httpHeader: each.httpHeader && each.network === "tcp" }));

/** The outbound that all these links are to become. */
export function outboundFor({ address, port, id, security, ...rest }: Shared): SharedOutbound {
  const { network, httpHeader, host, path, tls } = rest;
  const serverName = tls && (tls.sni || host);
  const layers = {
    ...(tls && {
      security: "tls",
      tlsSettings: {
        ...(serverName && { serverName }),
        ...(tls.alpn.length > 0 && network === "tcp" && { alpn: tls.alpn }),
        ...(tls.allowInsecure && { allowInsecure: true }),
      },
    }),
    ...(httpHeader && {
      tcpSettings: {
        header: { type: "http", request: { path: [path], ...(host && { headers: { Host: [host] } }) } },
      },
    }),
    ...(network === "ws" && { wsSettings: { path, ...(host && { headers: { Host: host } }) } }),
    ...(network === "httpupgrade" && { httpupgradeSettings: { path, ...(host && { host }) } }),
  };
  return {
    tag: "vmess-out",
    protocol: "vmess",
    settings: { vnext: [{ address, port, users: [{ id, security }] }] },
    ...(Object.keys(layers).length > 0 && { streamSettings: { network, ...layers } }),
  };
}

/** How base64 and numbers are written, which differs from program to program. */
export interface Spelling {
  urlSafe: boolean;
  padding: boolean;
  numbers: boolean;
}

export const spelling: fc.Arbitrary<Spelling> = fc.record({
  urlSafe: fc.boolean(),
  padding: fc.boolean(),
  numbers: fc.boolean(),
});

function base64(text: string, { urlSafe, padding }: Spelling): string {
  const plain = btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  const safe = urlSafe ? plain.replaceAll("+", "-").replaceAll("/", "_") : plain;
  return padding ? safe : safe.replace(/=+$/, "");
}

/** v2rayN's form. */
export function jsonLink(server: Shared, how: Spelling): string {
  const { name, address, port, id, security, network, httpHeader, host, path, tls } = server;
  const fields = {
    v: "2",
    ps: name,
    add: address,
    port: how.numbers ? port : String(port),
    id,
    aid: how.numbers ? 0 : "0",
    scy: security,
    net: network,
    type: httpHeader ? "http" : "none",
    host,
    path,
    tls: tls ? "tls" : "",
    sni: tls?.sni ?? "",
    alpn: tls?.alpn.join(",") ?? "",
    fp: "",
    ...(tls?.allowInsecure && { allowInsecure: how.numbers ? 1 : "1" }),
  };
  return `vmess://${base64(JSON.stringify(fields), how)}`;
}

/** Xray's proposal. */
export function uriLink({ name, address, port, id, security, ...rest }: Shared): string {
  const { network, httpHeader, host, path, tls } = rest;
  const fields: Record<string, string> = {
    type: network,
    encryption: security,
    security: tls ? "tls" : "none",
    path,
    ...(host && { host }),
    ...(httpHeader && { headerType: "http" }),
    ...(tls?.sni && { sni: tls.sni }),
    ...(tls && tls.alpn.length > 0 && { alpn: tls.alpn.join(",") }),
    ...(tls?.allowInsecure && { allowInsecure: "1" }),
  };
  const query = Object.entries(fields).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  const place = address.includes(":") ? `[${address}]` : address;
  return `vmess://${id}@${place}:${port}?${query.join("&")}#${encodeURIComponent(name)}`;
}

/** Shadowrocket's, which knows less: no httpupgrade. */
export function shadowrocketLink(server: Shared, how: Spelling): string {
  const { name, address, port, id, security, network, httpHeader, host, path, tls } = server;
  const fields: Record<string, string> = {
    remarks: name,
    obfs: network === "ws" ? "websocket" : httpHeader ? "http" : "none",
    obfsParam: how.numbers ? host : JSON.stringify({ Host: host }),
    path,
    ...(tls && { tls: "1", peer: tls.sni, alpn: tls.alpn.join(",") }),
    ...(tls?.allowInsecure && { allowInsecure: "1" }),
    alterId: "0",
  };
  const query = Object.entries(fields).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  const place = address.includes(":") ? `[${address}]` : address;
  return `vmess://${base64(`${security}:${id}@${place}:${port}`, how)}?${query.join("&")}`;
}
