import { MtrayError } from "../../errors.ts";
import type { Connected, Outbound, OutboundContext } from "../types.ts";

/** Takes connections nowhere. */
export class BlackholeOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "blackhole";
  readonly encrypts = false;

  constructor(context: OutboundContext) {
    this.tag = context.tag;
  }

  connect(): Promise<Connected> {
    return Promise.reject(new MtrayError("blocked", `blocked by the outbound ${this.tag}`));
  }
}
