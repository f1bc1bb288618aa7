import { describe } from "../../errors.ts";
import type { FrontingReason } from "../../observe/events.ts";
import { textOf } from "../../runtime/address.ts";
import { concat } from "../../stream/bytes.ts";
import { limited } from "../../stream/limit.ts";
import { discard, Relay } from "../../stream/relay.ts";
import type { Accepted, ByteStream } from "../../stream/types.ts";
import type { InboundContext, Policy } from "../types.ts";
import { proxyHeader } from "../../transport/proxy_protocol.ts";
import type { Site } from "./sites.ts";

/** Strangers that are shown a site at the same time. */
export const MOST_FRONTED = 64;
/** How long the site may take to answer the connection, in milliseconds. */
const CONNECT = 10_000;
/** What a stranger may still send to nobody, when the site cannot be reached. */
const DISCARDED = 1 << 20;

/** Somebody who is no client. */
export interface Stranger {
  accepted: Accepted;
  /** All that was sent so far. */
  bytes: Uint8Array;
  site: Site;
  reason: FrontingReason;
  detail: string;
}

/** Hands strangers over to a site, with every byte so far: what they see is the site. */
export class Fronting {
  readonly #context: InboundContext;
  readonly #policy: Policy;
  #open = 0;

  constructor(context: InboundContext) {
    this.#context = context;
    this.#policy = context.policy(0);
  }

  /**
   * Settles when the stranger has left.
   *
   * @param stopping ends the attempt to reach the site
   * @param begun is told what moves the bytes, once it is there
   */
  async front(stranger: Stranger, stopping: AbortSignal, begun: (relay: Relay) => void): Promise<void> {
    if (this.#open >= MOST_FRONTED) {
      return this.#ignore(
        stranger,
        "fronting-limit",
        `${MOST_FRONTED} strangers are being shown the site already`,
      );
    }
    this.#open++;
    try {
      const far = await this.#dial(stranger.site, stopping);
      if (typeof far === "string") {
        return await this.#ignore(stranger, "site-unreachable", `${textOf(stranger.site.dest)}: ${far}`);
      }
      await this.#show(stranger, far, begun);
    } finally {
      this.#open--;
    }
  }

  /** @returns why not, where the site cannot be reached */
  #dial({ dest, outboundTag }: Site, stopping: AbortSignal): Promise<ByteStream | string> {
    const limit = limited(stopping, CONNECT);
    const dial = this.#context.dial(outboundTag || undefined);
    return dial(dest, {}, limit.signal).catch((error) => describe(error)).finally(() => limit.done());
  }

  async #show(stranger: Stranger, far: ByteStream, begun: (relay: Relay) => void): Promise<void> {
    const { accepted, bytes, site, reason, detail } = stranger;
    const about = { inboundTag: this.#context.tag, source: textOf(accepted.remote), site: textOf(site.dest) };
    this.#context.events.emit({ kind: "fronted", ...about, reason, detail });
    const counts = { bytesUp: bytes.length, bytesDown: 0 };
    const relay = new Relay(accepted.stream, far);
    begun(relay);
    const header = site.xver === 0
      ? bytes
      : concat(proxyHeader(site.xver, accepted.remote, accepted.local), bytes);
    // Sent by the relay, for an error on this first write is all that tells of a site that aborts at once.
    await relay.run(this.#policy, counts, header);
    this.#context.events.emit({
      kind: "fronting-ended",
      ...about,
      up: counts.bytesUp,
      down: counts.bytesDown,
    });
  }

  /** As quiet as a site whose server is overloaded: no reset, no word. */
  async #ignore(
    { accepted }: Stranger,
    reason: "fronting-limit" | "site-unreachable",
    detail: string,
  ): Promise<void> {
    const { tag: inboundTag, events, clock } = this.#context;
    events.emit({ kind: "refused", inboundTag, source: textOf(accepted.remote), reason, detail });
    await discard(accepted.stream, clock.now() + this.#policy.handshake, DISCARDED);
    accepted.stream.close();
  }
}
