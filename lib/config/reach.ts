import { ruleTargets } from "../proxy/mtproto/data_centres.ts";
import type { MtprotoInboundSettings } from "../proxy/mtproto/settings.ts";
import { type Condition, conditionsOf, type RoutedFacts } from "../routing/rules.ts";
import type { RuleConfig } from "../routing/types.ts";
import { type Place, type Report, within } from "./complaint.ts";
import { type Parts, type Placed, selectable } from "./cross.ts";
import { balancerOf } from "./schema/balancer.ts";
import type { InboundConfig, OutboundConfig } from "./types.ts";

/**
 * Proves that sessions of mtproto inbounds end in mtproto and blackhole outbounds, and that mtproto outbounds get no
 * others: a session without its obfuscated2 header, or a header in front of something else, is a broken stream on
 * the wire.
 *
 * What a rule may look at is known beforehand for an MTProto session, but for the client's address: its inbound, its
 * user, TCP, the address of a data centre, and that nothing is sniffed. So each of these sessions is led through the
 * rules as the router would do it. A rule that looks at what is not known may take a session or leave it: both are
 * followed. So is each member of a balancer.
 */
export function checkReach({ inbounds, outbounds, rules, balancers }: Parts, report: Report): void {
  const ready = rules.map(({ rule, place }) => ({ rule, place, conditions: conditionsOf(rule) }));
  const byTag = new Map(outbounds.map((each) => [each.tag, each]));
  const fallback = outbounds[0];
  const waysOf = ({ outboundTag, balancerTag }: RuleConfig): { tags: string[]; key: string; by: string } => {
    if (outboundTag !== undefined) return { tags: [outboundTag], key: "outboundTag", by: "" };
    const balancer = balancers.find(({ tag }) => tag === balancerTag);
    if (balancer === undefined) return { tags: [], key: "", by: "" };
    const { members } = balancerOf(balancer, selectable(outbounds));
    const tags = [...new Set([...members, ...(balancer.fallbackTag ? [balancer.fallbackTag] : [])])];
    return { tags, key: "balancerTag", by: ` by way of balancer ${JSON.stringify(balancer.tag)}` };
  };
  for (const { config: inbound } of inbounds) {
    if (inbound === null) continue;
    let open = sessionsOf(inbound);
    for (const { rule, place, conditions } of ready) {
      const taken = open.filter((session) => conditions.every((each) => matches(each, session) !== false));
      const { tags, key, by } = waysOf(rule);
      for (const tag of taken.length > 0 ? tags : []) {
        const outbound = byTag.get(tag);
        if (outbound === undefined || fits(inbound, outbound)) continue;
        report.error(within(place, key), brokenRule(inbound, outbound, by));
      }
      open = open.filter((session) => !conditions.every((each) => matches(each, session) === true));
      if (open.length === 0) break;
    }
    if (open.length > 0 && fallback !== undefined && !fits(inbound, fallback)) {
      report.error(placeOfDefault(fallback), brokenDefault(inbound, fallback));
    }
  }
}

/** A session as far as it is known; a field that is left out can be anything. */
type Known = Partial<RoutedFacts> & Pick<RoutedFacts, "inboundTag">;

/** What the fields of a rule look at. */
const LOOKS_AT: Partial<Record<Condition["field"], (keyof RoutedFacts)[]>> = {
  inboundTag: ["inboundTag"],
  user: ["user"],
  network: ["network"],
  protocol: ["sniffed"],
  ip: ["target"],
  domain: ["target", "sniffed"],
  port: ["target"],
  source: ["source"],
  sourcePort: ["source"],
};

function sessionsOf({ tag, protocol, settings }: InboundConfig): Known[] {
  if (protocol !== "mtproto") return [{ inboundTag: tag }];
  const { users } = settings as MtprotoInboundSettings;
  const emails = new Map(users.map((user) => [user.email, user]));
  return [...emails.values()].flatMap(({ email, level }) =>
    ruleTargets().map((target): Known => ({
      inboundTag: tag,
      user: { email, level },
      network: "tcp",
      target,
      sniffed: undefined,
    }))
  );
}

/** Undefined: it depends on something that is not known. */
function matches({ field, matches }: Condition, session: Known): boolean | undefined {
  const facts = LOOKS_AT[field];
  if (facts === undefined || !facts.every((fact) => fact in session)) return undefined;
  return matches(session as RoutedFacts);
}

function fits(inbound: InboundConfig, { config }: Placed<OutboundConfig>): boolean {
  if (config === null || config.protocol === "blackhole") return true;
  return (inbound.protocol === "mtproto") === (config.protocol === "mtproto");
}

function placeOfDefault({ place }: Placed<OutboundConfig>): Place {
  return within(place, "protocol");
}

/** @param by names the balancer between; empty where there is none */
function brokenRule(inbound: InboundConfig, outbound: Placed<OutboundConfig>, by: string): string {
  return `${leads(inbound, outbound)}${by}: name ${
    remedyFor(inbound)
  }, or list other inbounds in the rule's inboundTag`;
}

function brokenDefault(inbound: InboundConfig, outbound: Placed<OutboundConfig>): string {
  const rule = `{"inboundTag": [${JSON.stringify(inbound.tag)}], "outboundTag": …}`;
  return `${leads(inbound, outbound)}, as the first outbound takes what no rule takes: ` +
    `put ${remedyFor(inbound)} first, or add a rule ${rule} that names one`;
}

function leads(inbound: InboundConfig, outbound: Placed<OutboundConfig>): string {
  return `sessions of inbound ${JSON.stringify(inbound.tag)} (${inbound.protocol}) would end in ` +
    `outbound ${JSON.stringify(outbound.tag)} (${outbound.config?.protocol}), a broken stream`;
}

function remedyFor(inbound: InboundConfig): string {
  return inbound.protocol === "mtproto"
    ? "an mtproto or blackhole outbound"
    : "an outbound other than mtproto";
}
