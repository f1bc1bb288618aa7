import { MtrayError } from "../errors.ts";
import type { Connected, ConnectedPackets, Outbound } from "../proxy/types.ts";
import type { Session } from "../session.ts";
import { compileRules } from "./rules.ts";
import type { RoutingConfig } from "./types.ts";

/** Picks an outbound for each session. It is an outbound itself, so whoever has a dialer needs not know. */
export class Router implements Outbound {
  readonly tag = "router";
  readonly protocol = "router";
  /** Of itself it hides nothing, and which way out a session takes is not known beforehand: ask `pick`. */
  readonly encrypts = false;

  readonly #pick: (session: Session) => Outbound;

  constructor(pick: (session: Session) => Outbound) {
    this.#pick = pick;
  }

  /** The outbound that takes a session. */
  pick(session: Session): Outbound {
    return this.#pick(session);
  }

  connect(session: Session, signal: AbortSignal): Promise<Connected> {
    return this.#pick(session).connect(session, signal);
  }

  async openPackets(session: Session, signal: AbortSignal): Promise<ConnectedPackets> {
    const outbound = this.#pick(session);
    if (outbound.openPackets === undefined) throw noPackets(outbound);
    return await outbound.openPackets(session, signal);
  }
}

/**
 * A router for these rules.
 *
 * @param outbounds by tag; every tag that a rule names must be there
 * @param fallback takes what no rule takes
 * @throws {MtrayError} `config`, when a rule names an outbound that is not there
 */
export function createRouter(
  config: RoutingConfig,
  outbounds: ReadonlyMap<string, Outbound>,
  fallback: Outbound,
): Router {
  for (const { outboundTag, path } of config.rules) {
    if (!outbounds.has(outboundTag)) {
      throw new MtrayError(
        "config",
        `cannot route: ${path} names outbound ${outboundTag}, which is not there`,
      );
    }
  }
  const tagOf = compileRules(config);
  return new Router((session) => {
    const tag = tagOf(session);
    return tag === undefined ? fallback : outbounds.get(tag)!;
  });
}

/** What is said of an outbound whose protocol has no datagrams. */
export function noPackets({ tag, protocol }: Outbound): MtrayError {
  return new MtrayError(
    "unsupported",
    `cannot send datagrams: outbound ${tag} (${protocol}) carries streams only`,
  );
}
