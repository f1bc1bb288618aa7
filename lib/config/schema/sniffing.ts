import * as v from "valibot";
import type { Sniffing } from "../../proxy/types.ts";
import { parseDomainItem } from "../../routing/domain.ts";
import { oneOf } from "../../settings/words.ts";
import { type Place, type Report, within } from "../complaint.ts";
import { checkedList, stringList } from "./words.ts";

/** V2Ray's and Xray's `sniffing`. */
export const sniffingSchema = v.object({
  enabled: v.optional(v.boolean(), false),
  destOverride: v.optional(
    v.pipe(stringList(), v.array(oneOf(["http", "tls", "quic", "fakedns", "fakedns+others"]))),
    [],
  ),
  metadataOnly: v.optional(v.boolean(), false),
  routeOnly: v.optional(v.boolean(), false),
  domainsExcluded: v.optional(checkedList((item) => parseDomainItem(asRule(item))), []),
  ipsExcluded: v.optional(stringList(), []),
});

/** What each word of `destOverride` asks for. */
const SNIFFED: Record<string, Sniffing["protocols"]> = {
  http: ["http"],
  tls: ["tls"],
  "fakedns+others": ["http", "tls"],
};

/** Why a word of `destOverride` is taken and changes nothing. */
const IGNORED: Record<string, string> = {
  quic: "has no effect: QUIC is not sniffed, so rules see the addresses of its flows and no domains",
  fakedns: "has no effect: there is no fake DNS",
  "fakedns+others": "stands for http and tls here: there is no fake DNS",
};

/** `sniffing` of an inbound, or nothing where nothing is looked for. */
export function readSniffing(
  found: v.InferOutput<typeof sniffingSchema> | undefined,
  { place, protocol, report }: { place: Place; protocol: string; report: Report },
): Sniffing | undefined {
  if (found?.enabled !== true) return undefined;
  const at = (...steps: (string | number)[]): Place => within(place, "sniffing", ...steps);
  const key = (name: string): Place => ({ ...at(name), key: true });
  if (protocol === "mtproto") {
    report.warn(key("enabled"), "has no effect: there is nothing to sniff in MTProto");
    return undefined;
  }
  if (found.metadataOnly) {
    report.warn(
      key("metadataOnly"),
      "leaves nothing to sniff: what http and tls say stands in the first bytes, and there is no fake DNS",
    );
    return undefined;
  }
  const isList = place.source.nodeAt(at("destOverride").path)?.type === "array";
  for (const [index, word] of found.destOverride.entries()) {
    if (word in IGNORED) {
      report.warn(isList ? at("destOverride", index) : at("destOverride"), IGNORED[word]);
    }
  }
  if (found.ipsExcluded.length > 0) {
    report.error(key("ipsExcluded"), "is not in this version: write domainsExcluded, or routeOnly");
  }
  // None is right, too: then the protocol alone is learned, for rules.
  const protocols = [...new Set(found.destOverride.flatMap((word) => SNIFFED[word] ?? []))];
  return { protocols, routeOnly: found.routeOnly, domainsExcluded: found.domainsExcluded.map(asRule) };
}

/** Xray takes plain text here for a whole name, where rules take it for a part of one. */
function asRule(item: string): string {
  return item.includes(":") ? item : `full:${item}`;
}
