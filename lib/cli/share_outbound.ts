import { loadConfig } from "../config/load.ts";
import { ConfigError } from "../config/complaint.ts";
import type { OutboundConfig } from "../config/types.ts";
import { MtrayError } from "../errors.ts";
import { parseShareLink, refuseLink, type SharedServer } from "./share_link.ts";

/** The tag of an outbound that comes from a link. */
export const VMESS_TAG = "vmess-out";

/** An entry of `outbounds`, as a config writes it. */
export interface SharedOutbound {
  tag: string;
  protocol: "vmess";
  settings: { vnext: { address: string; port: number; users: { id: string; security: string }[] }[] };
  streamSettings?: Record<string, unknown>;
}

export interface Imported {
  outbound: SharedOutbound;
  /** The same as a config that was read holds it. */
  config: OutboundConfig;
  /** What of the link is left out, and what is dangerous in it. */
  notes: string[];
}

/**
 * The outbound that a share link stands for. It has passed every check of a config.
 *
 * @throws {MtrayError} `usage`, in one sentence that holds nothing of the link but words such as "kcp"
 */
export function importLink(text: string): Imported {
  const server = parseShareLink(text);
  const outbound = outboundOf(server);
  const { config, warnings } = checked(outbound);
  const notes = [...server.others.map(noteOn), ...warnings];
  const offersMore = server.alpn.split(",").some((each) => !/^(|http\/1\.1)$/.test(each.trim()));
  if (config.transport.network !== "tcp" && config.transport.tls !== undefined && offersMore) {
    notes.push(`alpn is left out: ${config.transport.network} is HTTP/1.1`);
  }
  return { outbound, config, notes };
}

/** The same without the checks. */
export function outboundOf(server: SharedServer): SharedOutbound {
  const { address, port, id, alterId, encryption } = server;
  if (address === "") refuseLink("it has no address");
  if (port === "") refuseLink("it has no port");
  if (id === "") refuseLink("it has no id");
  if (!/^(|0+)$/.test(alterId)) {
    const which = /^[0-9]{1,5}$/.test(alterId) ? ` ${alterId}` : "";
    refuseLink(
      `it asks for alterId${which}, which mtray has not: ask for a link with 0, which servers since V2Ray 4.28.1 take`,
    );
  }
  const stream = streamOf(server);
  return {
    tag: VMESS_TAG,
    protocol: "vmess",
    settings: {
      vnext: [{ address, port: Number(port), users: [{ id, security: encryptionOf(encryption) }] }],
    },
    ...(Object.keys(stream).length > 0 && { streamSettings: stream }),
  };
}

const ENCRYPTIONS = ["auto", "aes-128-gcm", "chacha20-poly1305", "none", "zero"];

function encryptionOf(text: string): string {
  const word = text.toLowerCase() || "auto";
  // What sing-box and Clash call the same cipher.
  if (word === "chacha20-ietf-poly1305") return "chacha20-poly1305";
  if (ENCRYPTIONS.includes(word)) return word;
  return refuseLink(`its encryption is none that mtray has: it must be one of ${ENCRYPTIONS.join(", ")}`);
}

/** Transports that are refused by their names; any other word may be anything. */
const ELSEWHERE = [
  "kcp",
  "mkcp",
  "quic",
  "h2",
  "http",
  "grpc",
  "gun",
  "ds",
  "xhttp",
  "splithttp",
  "hysteria",
];

function streamOf(server: SharedServer): Record<string, unknown> {
  const { headerType, host, path } = server;
  const network = server.network.toLowerCase() || "tcp";
  const isTcp = network === "tcp" || network === "raw";
  // Links offer h2 for everything; a WebSocket cannot be opened in it.
  const tls = tlsOf(isTcp ? server : { ...server, alpn: "" });
  if (isTcp) {
    if (headerType.toLowerCase() !== "http") return { ...(tls && { network: "tcp", ...tls }) };
    const request = {
      path: path === "" ? ["/"] : path.split(","),
      ...(host !== "" && { headers: { Host: host.split(",") } }),
    };
    return { network: "tcp", ...tls, tcpSettings: { header: { type: "http", request } } };
  }
  if (network === "ws" || network === "websocket") {
    const wsSettings = {
      path: withSlash(path),
      ...(host !== "" && { headers: { Host: host } }),
      ...earlyDataOf(server),
    };
    return { network: "ws", ...tls, wsSettings };
  }
  if (network === "httpupgrade") {
    return { network, ...tls, httpupgradeSettings: { path: withSlash(path), ...(host !== "" && { host }) } };
  }
  const which = ELSEWHERE.includes(network) ? network : "of another kind";
  return refuseLink(`its transport is ${which}, and mtray has tcp, ws and httpupgrade`);
}

function tlsOf(server: SharedServer): Record<string, unknown> | undefined {
  const { security, alpn, allowInsecure } = server;
  if (security === "") return undefined;
  if (security !== "tls") {
    const which = ["reality", "xtls"].includes(security) ? security : "of another kind";
    refuseLink(`its security is ${which}, and mtray has tls`);
  }
  // As v2rayN does: a site behind a CDN is named by its host.
  const serverName = server.serverName || server.host.split(",")[0];
  return {
    security: "tls",
    tlsSettings: {
      ...(serverName !== "" && { serverName }),
      ...(alpn !== "" && { alpn: alpn.split(",").map((each) => each.trim()) }),
      ...(allowInsecure && { allowInsecure }),
    },
  };
}

function earlyDataOf({ earlyData, earlyDataHeader }: SharedServer): Record<string, unknown> {
  if (earlyData === "") return {};
  const maxEarlyData = Number(earlyData);
  if (!Number.isInteger(maxEarlyData) || maxEarlyData < 0) refuseLink("its early data is no number of bytes");
  return { maxEarlyData, ...(earlyDataHeader !== "" && { earlyDataHeaderName: earlyDataHeader }) };
}

function withSlash(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function noteOn(key: string): string {
  if (key === "fp") return "fp is left out: the TLS greeting is that of the system";
  // Whoever made the link chose the key.
  return `${
    /^[A-Za-z_-]{1,20}$/.test(key) ? key : "something"
  } of the link is left out: mtray does not know it`;
}

/** Reads an outbound as a config is read. */
function checked(outbound: SharedOutbound): { config: OutboundConfig; warnings: string[] } {
  const text = JSON.stringify({
    inbounds: [{ port: 1, protocol: "mtproto", settings: { users: [{ secret: "0".repeat(32) }] } }],
    outbounds: [{ protocol: "mtproto", proxySettings: { tag: VMESS_TAG } }, outbound],
  });
  try {
    const { config, warnings } = loadConfig([{ name: "the link", text }]);
    return {
      config: config.outbounds[1],
      warnings: warnings.map(({ path, text }) => `${keyIn(path)}: ${text}`),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [{ path, text }] = error.complaints;
    throw new MtrayError(
      "usage",
      `cannot import the link: ${keyIn(path)} ${text.replace(/; got .*$/s, "")}`,
    );
  }
}

/** The last key of a path: "port", "serverName". */
function keyIn(path: string): string {
  return path.replace(/\[\d+\]$/, "").replace(/^.*\./, "");
}
