import { ruleTargets } from "../proxy/mtproto/data_centres.ts";
import type { MtprotoInboundSettings } from "../proxy/mtproto/settings.ts";
import { type Condition, conditionsOf, type RoutedFacts } from "../routing/rules.ts";
import { type Place, type Report, within } from "./complaint.ts";
import type { Parts, Placed } from "./cross.ts";
import type { InboundConfig, OutboundConfig } from "./types.ts";

/**
 * Proves that sessions of mtproto inbounds end in mtproto and blackhole outbounds, and that mtproto outbounds get no
 * others: a session without its obfuscated2 header, or a header in front of something else, is a broken stream on
 * the wire.
 *
 * What a rule may look at is known beforehand for an MTProto session, but for the client's address: its inbound, its
 * user, TCP, and the address of a data centre. So each of these sessions is led through the rules as the router
 * would do it. A rule that looks at the client's address may take a session or leave it: both are followed.
 */
export function checkReach({ inbounds, outbounds, rules }: Parts, report: Report): void {
  const ready = rules.map(({ rule, place }) => ({ rule, place, conditions: conditionsOf(rule) }));
  const byTag = new Map(outbounds.map((each) => [each.tag, each]));
  const fallback = outbounds[0];
  for (const { config: inbound } of inbounds) {
    if (inbound === null) continue;
    let open = sessionsOf(inbound);
    for (const { rule, place, conditions } of ready) {
      const taken = open.filter((session) => conditions.every((each) => matches(each, session) !== false));
      const outbound = byTag.get(rule.outboundTag);
      if (taken.length > 0 && outbound !== undefined && !fits(inbound, outbound)) {
        report.error(within(place, "outboundTag"), brokenRule(inbound, outbound));
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
const LOOKS_AT: Partial<Record<Condition["field"], keyof RoutedFacts>> = {
  inboundTag: "inboundTag",
  user: "user",
  network: "network",
  ip: "target",
  domain: "target",
  port: "target",
  source: "source",
  sourcePort: "source",
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
    }))
  );
}

/** Undefined: it depends on something that is not known. */
function matches({ field, matches }: Condition, session: Known): boolean | undefined {
  const fact = LOOKS_AT[field];
  if (fact === undefined || session[fact] === undefined) return undefined;
  return matches(session as RoutedFacts);
}

function fits(inbound: InboundConfig, { config }: Placed<OutboundConfig>): boolean {
  if (config === null || config.protocol === "blackhole") return true;
  return (inbound.protocol === "mtproto") === (config.protocol === "mtproto");
}

function placeOfDefault({ place }: Placed<OutboundConfig>): Place {
  return within(place, "protocol");
}

function brokenRule(inbound: InboundConfig, outbound: Placed<OutboundConfig>): string {
  return `${leads(inbound, outbound)}: name ${
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
