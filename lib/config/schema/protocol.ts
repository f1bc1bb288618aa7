import type { GenericSchema } from "valibot";
import { check, type Reading } from "../check.ts";
import { within } from "../complaint.ts";
import { type Piece, written } from "../merge.ts";
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
const ALIASES: Record<string, string> = { direct: "freedom", block: "blackhole" };

/** A table of lib/proxy/registry.ts, as far as settings go. */
export type Kinds = Record<string, { readonly settings: GenericSchema }>;

/**
 * Finds the protocol of an inbound or outbound by its name in any case, and reads its settings.
 *
 * @returns null when there are complaints in the report
 */
export function readProtocol(
  kind: "inbound" | "outbound",
  { place, value }: Piece,
  kinds: Kinds,
  reading: Reading,
): { protocol: string; settings: unknown } | null {
  const name = written(value, "protocol");
  if (typeof name !== "string") return null;
  const protocol = name.toLowerCase();
  const names = Object.keys(kinds);
  if (!names.includes(protocol)) {
    reading.report.error(within(place, "protocol"), whyNot(kind, protocol, names));
    return null;
  }
  const at = { place: within(place, "settings"), pattern: `${kind}s[${protocol}].settings` };
  const settings = check(kinds[protocol].settings, written(value, "settings") ?? {}, at, reading);
  return settings === null ? null : { protocol, settings };
}

function whyNot(kind: "inbound" | "outbound", protocol: string, names: string[]): string {
  const can = `${kind === "inbound" ? "an inbound" : "an outbound"} can be ${names.join(", ")}`;
  const meant = ALIASES[protocol] ?? nearest(protocol, names);
  if (ELSEWHERE.has(protocol)) return `${JSON.stringify(protocol)} is not in this version: ${can}`;
  if (meant !== undefined && names.includes(meant)) {
    return `is not a protocol: did you mean ${JSON.stringify(meant)}?`;
  }
  return `must name a protocol: ${can}`;
}
