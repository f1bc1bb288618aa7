import * as v from "valibot";
import { parseDomainItem } from "../../routing/domain.ts";
import { parseIpItem } from "../../routing/ip.ts";
import type { RoutingConfig, RuleConfig } from "../../routing/types.ts";
import { complain, oneOf, read } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import { type Place, within } from "../complaint.ts";
import { type Piece, written } from "../merge.ts";
import { formatPath } from "../position.ts";
import { checkedList, portList, stringList } from "./words.ts";

/** A rule and where it stands. */
export interface PlacedRule {
  rule: RuleConfig;
  place: Place;
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
});

function ruleSchema(reading: Reading) {
  const ports = portList(1, reading.env);
  return v.object({
    type: v.optional(oneOf(["field"])),
    outboundTag: v.string(),
    inboundTag: v.optional(stringList()),
    user: v.optional(stringList()),
    network: v.optional(v.pipe(stringList(), v.array(oneOf(["tcp", "udp"])))),
    ip: v.optional(ips),
    source: v.optional(ips),
    sourceIP: v.optional(ips),
    domain: v.optional(domains),
    domains: v.optional(domains),
    port: v.optional(ports),
    sourcePort: v.optional(ports),
  });
}

/** `routing`. Rules that have complaints about them are left out. */
export function readRouting(piece: Piece | undefined, reading: Reading): PlacedRule[] {
  if (piece === undefined) return [];
  const { place, value } = piece;
  check(schema, value ?? {}, { place, pattern: "routing" }, reading);
  const rules = written(value, "rules");
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule, index) => readRule(rule, within(place, "rules", index), reading));
}

function readRule(value: unknown, place: Place, reading: Reading): PlacedRule[] {
  const found = check(ruleSchema(reading), value, { place, pattern: "routing.rules[]" }, reading);
  if (found === null) return [];
  const { type: _, outboundTag, domains, sourceIP, ...fields } = found;
  const rule: RuleConfig = { ...fields, outboundTag, path: formatPath(place.path) };
  // Both spellings are in use, and V2Ray takes either.
  if (domains) rule.domain = [...rule.domain ?? [], ...domains];
  if (sourceIP) rule.source = [...rule.source ?? [], ...sourceIP];
  return [{ rule: withoutEmpty(rule, place, reading), place }];
}

/** What the router needs of rules. */
export function routingOf(rules: readonly PlacedRule[]): RoutingConfig {
  return { rules: rules.map(({ rule }) => rule) };
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
