import type { Session } from "../../session.ts";
import type { Target } from "../../stream/types.ts";
import type { Connected, ConnectedPackets, Outbound, OutboundContext } from "../types.ts";
import { redirected, RedirectedPackets } from "./redirected_packets.ts";
import type { FreedomSettings } from "./settings.ts";

/** Connects to the session's own target, or to where `redirect` says. */
export class FreedomOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "freedom";
  readonly encrypts: boolean;
  readonly #context: OutboundContext;
  readonly #settings: FreedomSettings;

  constructor(context: OutboundContext, settings: FreedomSettings) {
    this.tag = context.tag;
    this.encrypts = context.encrypts;
    this.#context = context;
    this.#settings = settings;
  }

  async connect(session: Session, signal: AbortSignal): Promise<Connected> {
    const stream = await this.#context.dial(this.#targetOf(session), {}, signal);
    return { stream, adopted: false, via: [...this.#context.below, this.tag] };
  }

  async openPackets(session: Session, signal: AbortSignal): Promise<ConnectedPackets> {
    const packets = await this.#context.dialPackets(this.#targetOf(session), signal);
    const { redirect } = this.#settings;
    return {
      packets: redirect === undefined ? packets : new RedirectedPackets(packets, redirect),
      via: [...this.#context.below, this.tag],
    };
  }

  #targetOf({ target }: Session): Target {
    const { redirect } = this.#settings;
    return redirect === undefined ? target : redirected(target, redirect);
  }
}
