import type { InboundLayers } from "../transport/layers.ts";
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
  readonly #sessions: Sessions;

  constructor(inner: Inbound, layers: InboundLayers, context: InboundContext) {
    this.tag = inner.tag;
    this.protocol = inner.protocol;
    this.acceptsStreams = inner.acceptsStreams;
    this.acceptPackets = inner.acceptPackets?.bind(inner);
    this.#inner = inner;
    this.#layers = layers;
    this.#sessions = new Sessions(context);
  }

  accept(accepted: Accepted): Promise<void> {
    return this.#sessions.take(accepted, async (decided) => {
      const inside = await this.#layers.accept(accepted, this.#sessions.stopping);
      decided();
      this.#sessions.release(accepted.stream);
      await this.#inner.accept(inside);
    });
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
