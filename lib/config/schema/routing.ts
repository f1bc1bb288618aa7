import * as v from "valibot";
import { parseDomainItem } from "../../routing/domain.ts";
import { parseIpItem } from "../../routing/ip.ts";
import type { RuleConfig, SniffedProtocol } from "../../routing/types.ts";
import { complain, oneOf, read } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import { type Place, within } from "../complaint.ts";
import { type Piece, written } from "../merge.ts";
import { formatPath } from "../position.ts";
import { type PlacedBalancer, readBalancer } from "./balancer.ts";
import { checkedList, portList, stringList } from "./words.ts";

/** A rule and where it stands. */
export interface PlacedRule {
  rule: RuleConfig;
  place: Place;
}

/** `routing` as it is written. Rules that have complaints about them are left out. */
export interface Routing {
  rules: PlacedRule[];
  balancers: PlacedBalancer[];
}

const domains = checkedList(parseDomainItem);
const ips = checkedList(parseIpItem);

const schema = v.object({
  domainStrategy: v.optional(
    read(v.string(), (text) => {
      if (!/^as[-_]?is$/i.test(text)) complain('must be "AsIs": this version asks no DNS for a rule');
    }),
  ),
  rules: v.optional(v.array(v.unknown()), []),
  balancers: v.optional(v.array(v.unknown()), []),
});

function ruleSchema(reading: Reading) {
  const ports = portList(1, reading.env);
  return v.object({
    type: v.optional(oneOf(["field"])),
    outboundTag: v.optional(v.string(), ""),
    balancerTag: v.optional(v.string(), ""),
    inboundTag: v.optional(stringList()),
    user: v.optional(stringList()),
    network: v.optional(v.pipe(stringList(), v.array(oneOf(["tcp", "udp"])))),
    protocol: v.optional(v.pipe(stringList(), v.array(read(v.string(), readProtocol)))),
    ip: v.optional(ips),
    source: v.optional(ips),
    sourceIP: v.optional(ips),
    domain: v.optional(domains),
    domains: v.optional(domains),
    port: v.optional(ports),
    sourcePort: v.optional(ports),
  });
}

export function readRouting(piece: Piece | undefined, reading: Reading): Routing {
  if (piece === undefined) return { rules: [], balancers: [] };
  const { place, value } = piece;
  check(schema, value ?? {}, { place, pattern: "routing" }, reading);
  const listed = (name: string) => {
    const list = written(value, name);
    return Array.isArray(list)
      ? list.map((value, index) => ({ value, place: within(place, name, index) }))
      : [];
  };
  return {
    rules: listed("rules").flatMap(({ value, place }) => readRule(value, place, reading)),
    balancers: listed("balancers").map((balancer) => readBalancer(balancer, reading)),
  };
}

function readRule(value: unknown, place: Place, reading: Reading): PlacedRule[] {
  const found = check(ruleSchema(reading), value, { place, pattern: "routing.rules[]" }, reading);
  if (found === null) return [];
  const { type: _, outboundTag, balancerTag, domains, sourceIP, ...fields } = found;
  const rule: RuleConfig = {
    ...fields,
    ...(outboundTag !== "" && { outboundTag }),
    ...(balancerTag !== "" && { balancerTag }),
    path: formatPath(place.path),
  };
  if (outboundTag === "" && balancerTag === "") {
    reading.report.error(
      within(place, "outboundTag"),
      "is missing, and so is balancerTag: a rule names one of them",
    );
  } else if (outboundTag !== "" && balancerTag !== "") {
    const at = { ...within(place, "balancerTag"), key: true };
    reading.report.error(at, "must not stand beside outboundTag: a rule names one of them");
  }
  // Both spellings are in use, and V2Ray takes either.
  if (domains) rule.domain = [...rule.domain ?? [], ...domains];
  if (sourceIP) rule.source = [...rule.source ?? [], ...sourceIP];
  return [{ rule: withoutEmpty(rule, place, reading), place }];
}

function readProtocol(text: string): SniffedProtocol {
  const name = text.toLowerCase();
  if (name === "http" || name === "tls") return name;
  const known = name === "bittorrent" || name === "quic";
  return complain(`must be "http" or "tls"${known ? `: this version does not sniff ${name}` : ""}`);
}

/** An empty list is no condition for V2Ray. That widens a rule, so it is said. */
function withoutEmpty(rule: RuleConfig, place: Place, { report }: Reading): RuleConfig {
  const entries = Object.entries(rule).filter(([key, value]) => {
    if (!Array.isArray(value) || value.length > 0) return true;
    report.warn({ ...within(place, key), key: true }, "is empty, and so is no condition");
    return false;
  });
  if (!entries.some(([, value]) => Array.isArray(value))) {
    report.error(place, "must have a condition, such as inboundTag or network: without one it says nothing");
  }
  return Object.fromEntries(entries) as unknown as RuleConfig;
}
