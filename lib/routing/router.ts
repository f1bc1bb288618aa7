import { codeOf, describe, MtrayError } from "../errors.ts";
import type { Events } from "../observe/events.ts";
import type { Connected, ConnectedPackets, Outbound, Random } from "../proxy/types.ts";
import { textOf } from "../runtime/address.ts";
import type { Session } from "../session.ts";
import { compileBalancer } from "./balancer.ts";
import { RoutedPackets } from "./routed_packets.ts";
import { compileRules } from "./rules.ts";
import type { RoutingConfig, RuleConfig } from "./types.ts";

/** Picks an outbound for each session. It is an outbound itself, so whoever has a dialer needs not know. */
export class Router implements Outbound {
  readonly tag = "router";
  readonly protocol = "router";
  /** Of itself it hides nothing, and which way out a session takes is not known beforehand: ask `pick`. */
  readonly encrypts = false;

  readonly #pick: (session: Session) => Outbound;
  readonly #events?: Events;

  /** @param events is told of datagrams that no outbound takes */
  constructor(pick: (session: Session) => Outbound, events?: Events) {
    this.#pick = pick;
    this.#events = events;
  }

  /** The outbound that takes a session. */
  pick(session: Session): Outbound {
    return this.#pick(session);
  }

  connect(session: Session, signal: AbortSignal): Promise<Connected> {
    return this.#pick(session).connect(session, signal);
  }

  /** A flow that may go anywhere: the rules are asked again for each new target of it. */
  openPackets(session: Session, signal: AbortSignal): Promise<ConnectedPackets> {
    return RoutedPackets.open(session, {
      pick: this.#pick,
      open(outbound, session, signal) {
        if (outbound.openPackets === undefined) throw noPackets(outbound);
        return outbound.openPackets(session, signal);
      },
      refused: (session, error) => this.#refused(session, error),
    }, signal);
  }

  #refused(session: Session, error: unknown): void {
    this.#events?.emit({
      kind: "refused",
      inboundTag: session.inboundTag,
      source: textOf(session.source),
      reason: codeOf(error) === "blocked" ? "blocked" : "unreachable",
      detail: describe(error),
      email: session.user?.email,
      target: `${session.network}:${textOf(session.target)}`,
    });
  }
}

/** What a router works with beside its rules. */
export interface RouterMeans {
  /** Takes what no rule takes. */
  fallback: Outbound;
  /** Draws the members of balancers. */
  random: Random;
  /** Is told of datagrams that no outbound takes. */
  events?: Events;
}

/**
 * A router for these rules.
 *
 * @param outbounds by tag; every tag that a rule or a balancer names must be there
 * @throws {MtrayError} `config`, when a rule names an outbound or a balancer that is not there
 */
export function createRouter(
  config: RoutingConfig,
  outbounds: ReadonlyMap<string, Outbound>,
  { fallback, random, events }: RouterMeans,
): Router {
  const outboundOf = (tag: string, path: string) =>
    outbounds.get(tag) ?? missing(`${path} names outbound ${tag}`);
  const balancers = new Map(config.balancers.map((balancer) => {
    const { tag, members, path } = balancer;
    const byTag = new Map(members.map((member) => [member, outboundOf(member, path)]));
    const next = compileBalancer(balancer, random);
    return [tag, () => byTag.get(next())!];
  }));
  const ways = new Map(config.rules.map((rule): [RuleConfig, () => Outbound] => {
    const { outboundTag, balancerTag, path } = rule;
    if (balancerTag !== undefined) {
      return [rule, balancers.get(balancerTag) ?? missing(`${path} names balancer ${balancerTag}`)];
    }
    const outbound = outboundOf(outboundTag!, path);
    return [rule, () => outbound];
  }));
  const ruleFor = compileRules(config.rules);
  return new Router((session) => {
    const rule = ruleFor(session);
    return rule === undefined ? fallback : ways.get(rule)!();
  }, events);
}

function missing(what: string): never {
  throw new MtrayError("config", `cannot route: ${what}, which is not there`);
}

/** What is said of an outbound whose protocol has no datagrams. */
export function noPackets({ tag, protocol }: Outbound): MtrayError {
  return new MtrayError(
    "unsupported",
    `cannot send datagrams: outbound ${tag} (${protocol}) carries streams only`,
  );
}
