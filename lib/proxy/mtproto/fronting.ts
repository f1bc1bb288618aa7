import { describe } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import { limited } from "../../stream/limit.ts";
import { discard, Relay } from "../../stream/relay.ts";
import type { Accepted } from "../../stream/types.ts";
import type { FrontingReason } from "../../observe/events.ts";
import { concat } from "../../stream/bytes.ts";
import type { InboundContext, Policy } from "../types.ts";
import { proxyHeader } from "./proxy_protocol.ts";
import type { Site } from "./sites.ts";

/** Strangers that are shown a site at the same time. */
export const MOST_FRONTED = 64;
/** How long the site may take to answer the connection, in milliseconds. */
const CONNECT = 10_000;
/** What a stranger may still send to nobody, when the site cannot be reached. */
const DISCARDED = 1 << 20;

/** Hands strangers over to a site, with every byte so far: what they see is the site. */
export class Fronting {
  readonly #context: InboundContext;
  #open = 0;

  constructor(context: InboundContext) {
    this.#context = context;
  }

  /**
   * @param bytes all that the stranger sent
   * @param keep is told what can be stopped
   */
  async front(
    accepted: Accepted,
    bytes: Uint8Array,
    site: Site,
    why: { reason: FrontingReason; detail: string; source: string; policy: Policy; signal: AbortSignal },
    keep: (relay: Relay) => void,
  ): Promise<void> {
    const { tag: inboundTag, events } = this.#context;
    const { source, reason, detail, policy } = why;
    const name = textOf(site.dest);
    const refuse = (reason: "fronting-limit" | "site-unreachable", detail: string) => {
      events.emit({ kind: "refused", inboundTag, source, reason, detail });
      // As quiet as a site whose server is overloaded: no reset, no word.
      return discard(accepted.stream, this.#context.clock.now() + policy.handshake, DISCARDED)
        .then(() => accepted.stream.close());
    };
    if (this.#open >= MOST_FRONTED) {
      return refuse("fronting-limit", `${MOST_FRONTED} strangers are being shown the site already`);
    }
    this.#open++;
    try {
      const dial = this.#context.dial(site.outboundTag || undefined);
      const limit = limited(why.signal, CONNECT);
      const far = await dial(site.dest, {}, limit.signal)
        .catch((error) => describe(error))
        .finally(() => limit.done());
      if (typeof far === "string") return await refuse("site-unreachable", `${name}: ${far}`);
      events.emit({ kind: "fronted", inboundTag, source, reason, site: name, detail });
      const header = site.xver === 0
        ? bytes
        : concat(proxyHeader(site.xver, accepted.remote, accepted.local), bytes);
      const counts = { bytesUp: bytes.length, bytesDown: 0 };
      const relay = new Relay(accepted.stream, far);
      keep(relay);
      try {
        if (header.length > 0) await far.write(header);
      } catch { /* The relay finds out, too. */ }
      await relay.run(policy, counts);
      events.emit({
        kind: "fronting-ended",
        inboundTag,
        source,
        site: name,
        up: counts.bytesUp,
        down: counts.bytesDown,
      });
    } finally {
      this.#open--;
    }
  }
}
