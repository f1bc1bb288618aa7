import type { Session } from "../session.ts";
import { matchDomain } from "./domain.ts";
import { matchIp } from "./ip.ts";
import type { PortRange, RuleConfig } from "./types.ts";

/** What rules look at. */
export type RoutedFacts = Pick<
  Session,
  "inboundTag" | "user" | "network" | "source" | "target" | "sniffed"
>;

/** One field of a rule, ready to match. */
export interface Condition {
  field: keyof RuleConfig;
  matches(facts: RoutedFacts): boolean;
}

/**
 * Makes a function of the rules that says which one takes a session; undefined: none of them, so the default.
 *
 * The first rule that matches decides. All fields of a rule must match, and of each field one item.
 *
 * @throws {MtrayError} `config`, when an item is not what its field takes
 */
export function compileRules(rules: readonly RuleConfig[]): (session: RoutedFacts) => RuleConfig | undefined {
  const ready = rules.map((rule) => ({ rule, conditions: conditionsOf(rule) }));
  return (session) =>
    ready.find(({ conditions }) => conditions.every((condition) => condition.matches(session)))?.rule;
}

/** The fields of a rule as functions, the cheap ones first. Throws as `compileRules` does. */
export function conditionsOf(rule: RuleConfig): Condition[] {
  const conditions: Condition[] = [];
  const add = (field: keyof RuleConfig, matches: Condition["matches"]) => conditions.push({ field, matches });
  const { inboundTag, user, network, protocol, port, sourcePort, source, ip, domain } = rule;
  if (network) add("network", (facts) => network.includes(facts.network));
  if (protocol) {
    // A prefix, as for V2Ray, whose sniffers name HTTP by its version.
    add(
      "protocol",
      ({ sniffed }) => sniffed !== undefined && protocol.some((name) => sniffed.protocol.startsWith(name)),
    );
  }
  if (inboundTag) {
    const tags = new Set(inboundTag);
    add("inboundTag", (facts) => tags.has(facts.inboundTag));
  }
  if (user) {
    const emails = new Set(user);
    add(
      "user",
      (facts) => facts.user !== undefined && facts.user.email !== "" && emails.has(facts.user.email),
    );
  }
  if (port) add("port", (facts) => isIn(port, facts.target.port));
  if (sourcePort) add("sourcePort", (facts) => isIn(sourcePort, facts.source.port));
  if (source) {
    const matches = matchIp(source);
    add("source", (facts) => matches(facts.source.host));
  }
  if (ip) {
    const matches = matchIp(ip);
    add("ip", (facts) => matches(facts.target.host));
  }
  if (domain) {
    const matches = matchDomain(domain);
    add(
      "domain",
      ({ target, sniffed }) =>
        matches(target.host) || (sniffed?.domain !== undefined && matches(sniffed.domain)),
    );
  }
  return conditions;
}

function isIn(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => from <= port && port <= to);
}
