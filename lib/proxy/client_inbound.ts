import type { Accepted } from "../stream/types.ts";
import { type Carried, Sessions } from "./sessions.ts";
import type { Inbound, InboundContext } from "./types.ts";

/** What every inbound is: it meets its clients in its own protocol, and leaves what follows to Sessions. */
export abstract class ClientInbound implements Inbound {
  readonly tag: string;
  abstract readonly protocol: string;
  protected readonly context: InboundContext;
  protected readonly sessions: Sessions;

  /** One function for all connections, which may be many and live long. */
  readonly #meet = (accepted: Accepted, decided: () => void) => this.meet(accepted, decided);

  constructor(context: InboundContext) {
    this.tag = context.tag;
    this.context = context;
    this.sessions = new Sessions(context);
  }

  accept(accepted: Accepted): Promise<void> {
    return this.sessions.take(accepted, this.#meet);
  }

  stop(): void {
    this.sessions.stop();
  }

  close(): void {
    this.sessions.close();
  }

  /**
   * The story of one connection, from its first byte to its last, or to where its bytes are only moved. It may
   * reject.
   *
   * @param decided is called once it is clear what the client wants
   */
  protected abstract meet(accepted: Accepted, decided: () => void): Promise<Carried | void>;
}
