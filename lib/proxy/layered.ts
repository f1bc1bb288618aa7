import type { InboundLayers } from "../transport/layers.ts";
import { limited } from "../stream/limit.ts";
import type { Accepted } from "../stream/types.ts";
import { Sessions } from "./sessions.ts";
import type { Inbound, InboundContext } from "./types.ts";

/** An inbound whose connections have layers around its protocol. */
export class LayeredInbound implements Inbound {
  readonly tag: string;
  readonly protocol: string;
  readonly acceptsStreams?: boolean;
  readonly acceptPackets?: Inbound["acceptPackets"];
  readonly #inner: Inbound;
  readonly #layers: InboundLayers;
  readonly #context: InboundContext;
  readonly #sessions: Sessions;

  constructor(inner: Inbound, layers: InboundLayers, context: InboundContext) {
    this.tag = inner.tag;
    this.protocol = inner.protocol;
    this.acceptsStreams = inner.acceptsStreams;
    this.acceptPackets = inner.acceptPackets?.bind(inner);
    this.#inner = inner;
    this.#layers = layers;
    this.#context = context;
    this.#sessions = new Sessions(context);
  }

  accept(accepted: Accepted): Promise<void> {
    return this.#sessions.take(accepted, async (_, decided) => {
      const inside = await this.#sessions.handshake(accepted, this.#takeOff(accepted));
      // From here on the protocol counts it, and gives it time of its own.
      decided();
      if (inside === null) return;
      this.#sessions.release(accepted.stream);
      await this.#inner.accept(inside);
    });
  }

  async #takeOff(accepted: Accepted): Promise<Accepted> {
    const limit = limited(this.#sessions.stopping, this.#context.policy(0).handshake);
    try {
      return await this.#layers.accept(accepted, limit.signal);
    } finally {
      limit.done();
    }
  }

  stop(): void {
    this.#sessions.stop();
    this.#inner.stop();
  }

  close(): void {
    this.#sessions.close();
    this.#inner.close();
  }
}
