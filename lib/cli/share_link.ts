import { MtrayError } from "../errors.ts";

/** What a share link says, as text, before it is known to be right. */
export interface SharedServer {
  address: string;
  port: string;
  id: string;
  alterId: string;
  /** How the payload is encrypted; empty: whatever suits. */
  encryption: string;
  /** Empty: tcp. */
  network: string;
  /** "http" where tcp shall begin like HTTP. */
  headerType: string;
  host: string;
  path: string;
  /** "tls", or empty. */
  security: string;
  serverName: string;
  alpn: string;
  allowInsecure: boolean;
  /** Bytes; empty: none. */
  earlyData: string;
  earlyDataHeader: string;
  /** Keys that hold something and are not among these. */
  others: string[];
}

/**
 * Reads a link in one of the forms that are in use: v2rayN's (base64 of JSON), Xray's proposal (a URI), and
 * Shadowrocket's (base64 of method, id and server).
 *
 * @throws {MtrayError} `usage`; the message holds nothing of the link
 */
export function parseShareLink(text: string): SharedServer {
  const [, scheme, rest] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (scheme === undefined) refuseLink("it does not begin with vmess://");
  if (scheme.toLowerCase() !== "vmess") {
    refuseLink(
      "mtray speaks VMess: run a program that speaks this protocol beside it, and chain with a socks outbound " +
        '(README.md, "Other protocols")',
    );
  }
  const [, body, query = ""] = /^([^?#]*)(?:\?([^#]*))?(?:#.*)?$/s.exec(rest)!;
  const parameters = readQuery(query);
  if (body.includes("@")) return fromUri(body, parameters);
  const decoded = decodeBase64(body);
  if (decoded?.trimStart().startsWith("{")) return fromJson(decoded);
  const server = /^([^:@]+):([^@]+)@(.+)$/.exec(decoded ?? "");
  if (server === null) refuseLink("what follows vmess:// is in no form that mtray knows");
  const [, method, id, place] = server;
  return fromShadowrocket({ method, id, ...splitPlace(place) }, parameters);
}

/** Ends the reading of a link. `why` goes on from "cannot import the link: ". */
export function refuseLink(why: string): never {
  throw new MtrayError("usage", `cannot import the link: ${why}`);
}

function fromJson(text: string): SharedServer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuseLink("the JSON in it is broken");
  }
  const fields = new Fields(Object.entries(value as Record<string, unknown>));
  const version = fields.take("v");
  let [host, path] = [fields.take("host"), fields.take("path")];
  // The first version of the form had one field for both.
  if (version === "1" && path === "" && host.includes(";")) [path, host] = host.split(";", 2);
  fields.take("ps");
  return {
    address: fields.take("add"),
    port: fields.take("port"),
    id: fields.take("id"),
    alterId: fields.take("aid"),
    encryption: fields.take("scy", "security"),
    network: fields.take("net"),
    headerType: fields.take("type"),
    host,
    path,
    security: tlsWord(fields.take("tls")),
    serverName: fields.take("sni", "peer"),
    alpn: fields.take("alpn"),
    allowInsecure: fields.isOn("allowInsecure", "insecure", "skip-cert-verify") ||
      fields.take("verify_cert") === "false",
    earlyData: "",
    earlyDataHeader: "",
    others: fields.left(),
  };
}

function fromUri(body: string, fields: Fields): SharedServer {
  const at = body.lastIndexOf("@");
  const { address, port } = splitPlace(body.slice(at + 1).replace(/\/$/, ""));
  return {
    address,
    port,
    id: decodePart(body.slice(0, at)),
    alterId: fields.take("aid", "alterId"),
    encryption: fields.take("encryption"),
    network: fields.take("type"),
    headerType: fields.take("headerType"),
    host: fields.take("host"),
    path: fields.take("path"),
    security: tlsWord(fields.take("security")),
    serverName: fields.take("sni", "peer"),
    alpn: fields.take("alpn"),
    allowInsecure: fields.isOn("allowInsecure", "insecure"),
    earlyData: fields.take("ed"),
    earlyDataHeader: fields.take("eh"),
    others: fields.left(),
  };
}

function fromShadowrocket(
  server: { method: string; id: string; address: string; port: string },
  fields: Fields,
): SharedServer {
  fields.take("remarks", "remark");
  const obfuscation = fields.take("obfs").toLowerCase();
  return {
    address: server.address,
    port: server.port,
    id: server.id,
    alterId: fields.take("alterId", "aid"),
    encryption: server.method,
    network: obfuscation === "websocket" ? "ws" : /^(none|http)?$/.test(obfuscation) ? "tcp" : obfuscation,
    headerType: obfuscation === "http" ? "http" : "",
    host: hostIn(fields.take("obfsParam")),
    path: fields.take("path"),
    security: fields.isOn("tls") ? "tls" : "",
    serverName: fields.take("peer", "sni"),
    alpn: fields.take("alpn"),
    allowInsecure: fields.isOn("allowInsecure"),
    earlyData: "",
    earlyDataHeader: "",
    others: fields.left(),
  };
}

/** The fields of a link, each to be taken once. */
class Fields {
  readonly #values = new Map<string, string>();

  constructor(entries: Iterable<[string, unknown]>) {
    for (const [key, value] of entries) {
      if (["string", "number", "boolean"].includes(typeof value)) this.#values.set(key, String(value).trim());
    }
  }

  /** The first of these that holds something; empty where none does. */
  take(...keys: string[]): string {
    const found = keys.map((key) => this.#values.get(key) ?? "");
    for (const key of keys) this.#values.delete(key);
    return found.find((value) => value !== "") ?? "";
  }

  isOn(...keys: string[]): boolean {
    return /^(1|true)$/i.test(this.take(...keys));
  }

  /** The keys that nobody took and that hold something. */
  left(): string[] {
    return [...this.#values].filter(([, value]) => !/^(|0|false|none)$/i.test(value)).map(([key]) => key);
  }
}

/** A plus stands for itself: links are made with encodeURIComponent, if they are encoded at all. */
function readQuery(query: string): Fields {
  const pairs = query.split("&").filter((pair) => pair !== "");
  return new Fields(pairs.map((pair): [string, string] => {
    const [, key, value = ""] = /^([^=]*)=?(.*)$/s.exec(pair)!;
    return [decodePart(key), decodePart(value)];
  }));
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuseLink("it has a broken % escape");
  }
}

/** Base64 in either alphabet, with or without padding; null where it is none, or no UTF-8. */
function decodeBase64(text: string): string | null {
  const plain = decodePart(text).replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(
    /=+$/,
    "",
  );
  try {
    const bytes = Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function splitPlace(place: string): { address: string; port: string } {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(place) ??
    refuseLink("it has no address and port");
  return { address: inBrackets ?? decodePart(plain), port };
}

function tlsWord(text: string): string {
  const word = text.toLowerCase();
  if (/^(|none|0|false)$/.test(word)) return "";
  return /^(1|true)$/.test(word) ? "tls" : word;
}

/** A name, or an object of headers with one. */
function hostIn(text: string): string {
  if (!text.startsWith("{")) return text;
  try {
    const headers = new Fields(Object.entries(JSON.parse(text) as Record<string, unknown>));
    return headers.take("Host", "host");
  } catch {
    return refuseLink("the JSON in it is broken");
  }
}
