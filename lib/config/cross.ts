import type { MtprotoInboundSettings } from "../proxy/mtproto/settings.ts";
import { type Place, type Report, within } from "./complaint.ts";
import { formatPath } from "./position.ts";
import type { PlacedRule } from "./schema/routing.ts";
import type { InboundConfig, OutboundConfig } from "./types.ts";

/** An inbound or outbound that is written, whether or not it could be read. */
export interface Placed<T> {
  place: Place;
  /** As it is called where the config gives no tag, too. */
  tag: string;
  /** Null when there are complaints about it. */
  config: T | null;
}

/** What was read, before it is known to fit together. */
export interface Parts {
  inbounds: Placed<InboundConfig>[];
  outbounds: Placed<OutboundConfig>[];
  rules: PlacedRule[];
}

/** Tags are there and unique. */
export function checkTags({ inbounds, outbounds, rules }: Parts, report: Report): void {
  const inboundTags = uniqueTags(inbounds, report);
  const outboundTags = uniqueTags(outbounds, report);
  const needOutbound = (tag: string, place: Place) => {
    if (!outboundTags.has(tag)) {
      report.error(place, `names an outbound that is not there; ${listed(outboundTags)}`);
    }
  };
  for (const { rule, place } of rules) {
    needOutbound(rule.outboundTag, within(place, "outboundTag"));
    for (const [index, tag] of (rule.inboundTag ?? []).entries()) {
      const at = within(place, "inboundTag", index);
      if (!inboundTags.has(tag)) {
        report.error(at, `names an inbound that is not there; ${listed(inboundTags)}`);
      }
    }
  }
  for (const { config, place } of outbounds) {
    if (config?.proxyTag !== undefined) needOutbound(config.proxyTag, within(place, "proxySettings", "tag"));
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
    const at = within(place, "proxySettings", "tag");
    const cycle = cycleFrom(tag, (from) => byTag.get(from)?.config?.proxyTag);
    if (cycle !== null) report.error(at, `goes round in a circle: ${cycle.join(" → ")}`);
    else if (protocolOf(config.proxyTag) === "mtproto") {
      report.error(
        at,
        "must not name an mtproto outbound, which carries nothing but the sessions of MTProto clients",
      );
    }
  }
  for (const { at, tag } of fallbackTags(inbounds)) {
    if (protocolOf(tag) === "mtproto") {
      report.error(at, "must not name an mtproto outbound, which reaches data centres and no site");
    }
  }
}

/** No two inbounds listen on the same port of the same address. */
export function checkPorts({ inbounds }: Parts, report: Report): void {
  const seen: { listen: string; place: Place; ports: Set<number> }[] = [];
  for (const { config, place } of inbounds) {
    if (config === null) continue;
    const { listen, ports } = config;
    for (const earlier of seen) {
      const port = ports.find((each) => each !== 0 && earlier.ports.has(each));
      if (port === undefined || !overlap(earlier.listen, listen)) continue;
      report.error(
        within(place, "port"),
        `must not be ${port}, where ${seenFrom(place, earlier.place)} listens`,
      );
    }
    seen.push({ listen, place, ports: new Set(ports) });
  }
}

function uniqueTags(parts: readonly Placed<unknown>[], report: Report): Set<string> {
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

/** Whether both addresses take the same connections. A socket on :: takes IPv4, too. */
function overlap(a: string, b: string): boolean {
  const takes = (wide: string, narrow: string) =>
    wide === "::" || (wide === "0.0.0.0" && (narrow === "::" || !narrow.includes(":")));
  return a === b || takes(a, b) || takes(b, a);
}

/** The path of a place in words for another one, which may be in another file. */
function seenFrom(here: Place, there: Place): string {
  const path = formatPath(there.path);
  return here.source === there.source ? path : `${path} of ${there.source.name}`;
}

function listed(tags: Set<string>): string {
  return tags.size === 0 ? "there is none" : `there is ${[...tags].join(", ")}`;
}
