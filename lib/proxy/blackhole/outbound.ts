import { MtrayError } from "../../errors.ts";
import type { Connected, ConnectedPackets, Outbound, OutboundContext } from "../types.ts";

/** Takes connections nowhere. */
export class BlackholeOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "blackhole";
  readonly encrypts = false;

  constructor(context: OutboundContext) {
    this.tag = context.tag;
  }

  connect(): Promise<Connected> {
    return Promise.reject(this.#blocked());
  }

  openPackets(): Promise<ConnectedPackets> {
    return Promise.reject(this.#blocked());
  }

  #blocked(): MtrayError {
    return new MtrayError("blocked", `blocked by the outbound ${this.tag}`);
  }
}
