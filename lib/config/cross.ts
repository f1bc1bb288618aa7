import type { MtprotoInboundSettings } from "../proxy/mtproto/settings.ts";
import { type Place, type Report, within } from "./complaint.ts";
import { formatPath } from "./position.ts";
import type { PlacedBalancer } from "./schema/balancer.ts";
import { chainPlace } from "./schema/chain.ts";
import type { PlacedRule } from "./schema/routing.ts";
import type { InboundConfig, OutboundConfig } from "./types.ts";

/** An inbound or outbound that is written, whether or not it could be read. */
export interface Placed<T> {
  place: Place;
  /** As it is called where the config gives no tag, too. */
  tag: string;
  /** Whether that is a tag of the config's own. */
  named: boolean;
  /** Null when there are complaints about it. */
  config: T | null;
}

/** What was read, before it is known to fit together. */
export interface Parts {
  inbounds: Placed<InboundConfig>[];
  outbounds: Placed<OutboundConfig>[];
  rules: PlacedRule[];
  balancers: PlacedBalancer[];
}

/** The outbounds that selectors may find. */
export function selectable(outbounds: Parts["outbounds"]): string[] {
  return outbounds.filter(({ named }) => named).map(({ tag }) => tag);
}

/** Tags are there and unique. */
export function checkTags({ inbounds, outbounds, rules, balancers }: Parts, report: Report): void {
  const inboundTags = uniqueTags(inbounds, report);
  const outboundTags = uniqueTags(outbounds, report);
  const balancerTags = uniqueTags(balancers, report);
  const needOutbound = (tag: string, place: Place) => {
    if (!outboundTags.has(tag)) {
      report.error(place, `names an outbound that is not there; ${listed(outboundTags)}`);
    }
  };
  for (const { rule, place } of rules) {
    const { outboundTag, balancerTag } = rule;
    if (outboundTag !== undefined) needOutbound(outboundTag, within(place, "outboundTag"));
    if (balancerTag !== undefined && !balancerTags.has(balancerTag)) {
      const why = `names a balancer that is not there; ${listed(balancerTags)}`;
      report.error(within(place, "balancerTag"), why);
    }
    for (const [index, tag] of (rule.inboundTag ?? []).entries()) {
      const at = within(place, "inboundTag", index);
      if (!inboundTags.has(tag)) {
        report.error(at, `names an inbound that is not there; ${listed(inboundTags)}`);
      }
    }
  }
  for (const { selector, fallbackTag, place } of balancers) {
    for (const [index, beginning] of selector.entries()) {
      if (selectable(outbounds).some((tag) => tag.startsWith(beginning))) continue;
      const isText = place.source.nodeAt([...place.path, "selector"])?.type === "string";
      report.error(
        within(place, "selector", ...(isText ? [] : [index])),
        `matches no outbound: no tag begins with ${JSON.stringify(beginning)}; ${listed(outboundTags)}`,
      );
    }
    if (fallbackTag !== "") needOutbound(fallbackTag, within(place, "fallbackTag"));
  }
  for (const { tag, config, place } of outbounds) {
    const next = config?.proxyTag;
    if (next === undefined || outboundTags.has(next)) continue;
    const why = `names an outbound that is not there: ${tag} → ${next}; ${listed(outboundTags)}`;
    report.error(chainPlace(place), why);
  }
  for (const { at, tag } of fallbackTags(inbounds)) needOutbound(tag, at);
}

/**
 * The hops below an outbound come to an end, and none of them is an mtproto outbound: that one writes a header of its
 * own in front of the session of an MTProto client, and carries nothing else. For the same reason no site is reached
 * through one.
 */
export function checkChains({ inbounds, outbounds }: Parts, report: Report): void {
  const byTag = new Map(outbounds.map((each) => [each.tag, each]));
  const protocolOf = (tag: string) => byTag.get(tag)?.config?.protocol;
  for (const { tag, config, place } of outbounds) {
    if (config?.proxyTag === undefined) continue;
    const at = chainPlace(place);
    const cycle = cycleFrom(tag, (from) => byTag.get(from)?.config?.proxyTag);
    if (cycle !== null) report.error(at, `goes round in a circle: ${cycle.join(" → ")}`);
    else if (protocolOf(config.proxyTag) === "mtproto") {
      report.error(
        at,
        "must not name an mtproto outbound, which carries nothing but the sessions of MTProto clients",
      );
    }
    checkCarried(config, place, report);
  }
  for (const { at, tag } of fallbackTags(inbounds)) {
    if (protocolOf(tag) === "mtproto") {
      report.error(at, "must not name an mtproto outbound, which reaches data centres and no site");
    }
  }
}

/** Without `transportLayer` a chain carries TLS, and nothing else of a transport. V2Ray drops the rest in silence. */
function checkCarried(
  { transport, transportLayer, proxyTag }: OutboundConfig,
  place: Place,
  report: Report,
): void {
  if (transportLayer) return;
  const stream = within(place, "streamSettings");
  const remedy = 'add "transportLayer": true to proxySettings, or remove it';
  if (transport.network !== "tcp") {
    report.error(
      within(stream, "network"),
      `${JSON.stringify(transport.network)} is not carried by ${
        JSON.stringify(proxyTag)
      } as it is: ${remedy}`,
    );
  } else if (transport.httpHeader !== undefined) {
    const key = ["rawSettings", "tcpSettings"].find((name) => place.source.nodeAt([...stream.path, name]));
    report.error(
      { ...within(stream, key ?? "tcpSettings", "header"), key: true },
      `is not carried by ${JSON.stringify(proxyTag)} as it is: ${remedy}`,
    );
  }
}

/** A rule for what is sniffed has an inbound that sniffs. */
export function checkSniffing({ inbounds, rules }: Parts, report: Report): void {
  for (const { rule, place } of rules) {
    if (rule.protocol === undefined) continue;
    const sniffs = inbounds.some(({ tag, config }) =>
      (rule.inboundTag?.includes(tag) ?? true) && config?.sniffing !== undefined
    );
    if (!sniffs) {
      report.warn(within(place, "protocol"), "matches nothing: no inbound of this rule sniffs");
    }
  }
}

function uniqueTags(parts: readonly { tag: string; place: Place }[], report: Report): Set<string> {
  const places = new Map<string, Place>();
  for (const { tag, place } of parts) {
    const earlier = places.get(tag);
    if (earlier === undefined) places.set(tag, place);
    else report.error(within(place, "tag"), `must be unique: ${seenFrom(place, earlier)} has it too`);
  }
  return new Set(places.keys());
}

/** The outbounds that MTProto inbounds reach their sites through. */
function fallbackTags(inbounds: Parts["inbounds"]): { at: Place; tag: string }[] {
  return inbounds.flatMap(({ config, place }) => {
    if (config?.protocol !== "mtproto") return [];
    const { fallbacks } = config.settings as MtprotoInboundSettings;
    return fallbacks.flatMap(({ outboundTag: tag }, index) =>
      tag === "" ? [] : [{ tag, at: within(place, "settings", "fallbacks", index, "outboundTag") }]
    );
  });
}

function cycleFrom(tag: string, next: (tag: string) => string | undefined): string[] | null {
  const way = [tag];
  for (let step = next(tag); step !== undefined; step = next(step)) {
    way.push(step);
    if (step === tag) return way;
    // Another circle further down, which the outbounds in it are told about.
    if (way.indexOf(step) < way.length - 1) return null;
  }
  return null;
}

/** The path of a place in words for another one, which may be in another file. */
export function seenFrom(here: Place, there: Place): string {
  const path = formatPath(there.path);
  return here.source === there.source ? path : `${path} of ${there.source.name}`;
}

function listed(tags: Set<string>): string {
  return tags.size === 0 ? "there is none" : `there is ${[...tags].join(", ")}`;
}
