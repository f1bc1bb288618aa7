/** The web site behind a fronted port: a plain TCP recorder that writes down who came and what they sent. */
import { concat } from "./bytes.ts";
import {
  type End,
  listenSockets,
  PeerReset,
  type Socket,
  SocketClosed,
  type SocketListener,
  within,
} from "./socket.ts";

/** One stranger. */
export class Visit {
  /** Everything that came so far. */
  received: Uint8Array = new Uint8Array();
  /** Settles with how the stranger ended, or "open" if the site closed before. */
  readonly ended: Promise<End | "open">;
  #settle: (end: End | "open") => void = () => {};

  constructor(readonly socket: Socket) {
    this.ended = new Promise((resolve) => this.#settle = resolve);
  }

  /** Waits until at least that many bytes have come, or the stranger has ended. */
  async receive(length: number): Promise<Uint8Array> {
    while (this.received.length < length && await this.readOn());
    return this.received;
  }

  /** Takes in the next bytes. False at the end. */
  async readOn(): Promise<boolean> {
    try {
      const bytes = await this.socket.read();
      if (bytes !== null) this.received = concat(this.received, bytes);
      else this.#settle("fin");
      return bytes !== null;
    } catch (error) {
      if (!(error instanceof PeerReset)) throw error;
      this.#settle("reset");
      return false;
    }
  }

  close(): void {
    this.socket.close();
    this.#settle("open");
  }
}

/** What the site does with a visit. Closing is not its job. */
export type Hosting = (visit: Visit) => Promise<void>;

/** Listens to everything and says nothing. */
export const listening: Hosting = async (visit) => {
  while (await visit.readOn());
};

export class Site {
  readonly visits: Visit[] = [];
  /** What went wrong in the hosting. */
  readonly failures: unknown[] = [];
  readonly #open = new Set<Promise<void>>();
  #listener: SocketListener | null = null;

  private constructor() {}

  /** @param resettable needed for a hosting that answers with a reset */
  static async start(hosting: Hosting = listening, options: { resettable?: boolean } = {}): Promise<Site> {
    const site = new Site();
    site.#listener = await listenSockets((socket) => {
      const visit = new Visit(socket);
      site.visits.push(visit);
      const hosted: Promise<void> = hosting(visit).catch((error) => {
        if (!(error instanceof PeerReset || error instanceof SocketClosed)) site.failures.push(error);
      }).finally(() => {
        visit.close();
        site.#open.delete(hosted);
      });
      site.#open.add(hosted);
    }, { ...options, patience: Infinity });
    return site;
  }

  get port(): number {
    if (!this.#listener) throw new Error("cannot tell port: the site does not listen");
    return this.#listener.port;
  }

  /** As `dest` in the config takes it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Stops, and throws the first failure. */
  async close(): Promise<void> {
    this.#listener?.close();
    this.visits.forEach((visit) => visit.close());
    await within(10_000, "stop the site", Promise.all(this.#open));
    if (this.failures.length > 0) throw this.failures[0];
  }
}
