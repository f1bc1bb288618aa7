import type { GenericSchema } from "valibot";
import { check, type Reading } from "../check.ts";
import { within } from "../complaint.ts";
import { type Piece, written, writtenTag } from "../merge.ts";
import { nearest } from "../nearest.ts";

/** What V2Ray and Xray call protocols, apart from those that the registry has. */
const ELSEWHERE = new Set([
  "dns",
  "dokodemo-door",
  "http",
  "hysteria",
  "loopback",
  "mixed",
  "mtproto",
  "shadowsocks",
  "socks",
  "trojan",
  "tun",
  "tunnel",
  "vless",
  "vmess",
  "wireguard",
]);

/** Xray's other names for protocols that mtray has. */
const ALIASES: Record<"inbound" | "outbound", Record<string, string>> = {
  inbound: { tunnel: "dokodemo-door" },
  outbound: { direct: "freedom", block: "blackhole" },
};

/** Protocols that another program can speak beside mtray, joined to it by SOCKS. */
const BESIDE = new Set(["hysteria", "shadowsocks", "trojan", "vless", "wireguard"]);

/** Where such a program and mtray meet, in messages. */
const MEETING = { address: "127.0.0.1", port: 1080 };

/** A table of lib/proxy/registry.ts, as far as settings go. */
export type Kinds = Record<string, { readonly settings: GenericSchema }>;

/**
 * Finds the protocol of an inbound or outbound by its name in any case, and reads its settings.
 *
 * @returns null when there are complaints in the report
 */
export function readProtocol(
  kind: "inbound" | "outbound",
  piece: Piece,
  kinds: Kinds,
  reading: Reading,
): { protocol: string; settings: unknown } | null {
  const { place, value } = piece;
  const name = written(value, "protocol");
  if (typeof name !== "string") return null;
  const names = Object.keys(kinds);
  const protocol = protocolOf(kind, name.toLowerCase());
  if (!names.includes(protocol)) {
    reading.report.error(within(place, "protocol"), whyNot(kind, protocol, names, writtenTag(piece)));
    return null;
  }
  const at = { place: within(place, "settings"), pattern: `${kind}s[${protocol}].settings` };
  const settings = check(kinds[protocol].settings, written(value, "settings") ?? {}, at, reading);
  return settings === null ? null : { protocol, settings };
}

function protocolOf(kind: "inbound" | "outbound", name: string): string {
  return Object.hasOwn(ALIASES[kind], name) ? ALIASES[kind][name] : name;
}

function whyNot(kind: "inbound" | "outbound", protocol: string, names: string[], tag: string): string {
  const can = `${kind === "inbound" ? "an inbound" : "an outbound"} can be ${names.join(", ")}`;
  const absent = `${JSON.stringify(protocol)} is not in this version`;
  if (BESIDE.has(protocol)) return `${absent}: ${kind === "inbound" ? takeFrom(tag) : goThrough(tag)}`;
  if (protocol === "mixed" && kind === "inbound") {
    return `${absent}: write an inbound that is socks and one that is http, each with a port of its own`;
  }
  if (ELSEWHERE.has(protocol)) return `${absent}: ${can}`;
  const meant = nearest(protocol, names);
  if (meant !== undefined) return `is not a protocol: did you mean ${JSON.stringify(meant)}?`;
  return `must name a protocol: ${can}`;
}

function goThrough(tag: string): string {
  const outbound = { tag: tag || "beside", protocol: "socks", settings: { servers: [MEETING] } };
  return "run it beside mtray (sing-box, Xray, …) with a socks inbound on " +
    `${MEETING.address}:${MEETING.port}, and write ${JSON.stringify(outbound)}`;
}

function takeFrom(tag: string): string {
  const { address: listen, port } = MEETING;
  const inbound = { tag: tag || "beside", protocol: "socks", listen, port, settings: { udp: true } };
  return "run it beside mtray (sing-box, Xray, …) with a socks outbound to " +
    `${listen}:${port}, and write ${JSON.stringify(inbound)}`;
}
