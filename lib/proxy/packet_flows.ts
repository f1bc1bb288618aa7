import { PacketQueue } from "../runtime/packet_queue.ts";
import type { Packet, PacketStream, Target } from "../stream/types.ts";
import type { Client, Sessions } from "./sessions.ts";
import type { Clock } from "./types.ts";

/** After a target had no way out, how long datagrams for it are dropped without asking again. Milliseconds. */
const REFUSED = 5_000;
/** Targets without a way out that are remembered for a client; beyond that everything from there is dropped. */
const MOST_REFUSED = 64;

/** Sends an answer back to the client of a flow. */
export type Answer = (data: Uint8Array, from: Target) => void;

/** A client's address. */
interface Source {
  /** Null: it has none, for its last target had no way out. */
  flow: Flow | null;
  refused: Set<string>;
  /** Milliseconds of the monotonic clock. */
  refusedUntil: number;
}

/** The flows of datagrams that come in by one port, a session for each client's address. */
export class PacketFlows {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #most: number;
  /** The one that was idle longest comes first. */
  readonly #sources = new Map<string, Source>();
  readonly #running = new Set<Promise<void>>();

  /** @param most clients at a time; for a new one beyond that, the one that was idle longest goes */
  constructor(sessions: Sessions, clock: Clock, most: number) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#most = most;
  }

  /** A client's datagram; `packet.from` is whoever it is sent to. The first of a flow begins its session. */
  deliver(client: Client, packet: Packet, answer: Answer): void {
    const key = keyOf(client.source);
    const source = this.#sources.get(key) ?? { flow: null, refused: new Set(), refusedUntil: 0 };
    this.#sources.delete(key);
    if (this.#sources.size >= this.#most) this.#endOldest();
    this.#sources.set(key, source);
    if (source.flow === null) {
      if (source.refusedUntil < this.#clock.now()) source.refused.clear();
      if (source.refused.has(keyOf(packet.from)) || source.refused.size >= MOST_REFUSED) return;
      source.flow = this.#begin(source, client, packet.from, answer);
    }
    source.flow.deliver(packet);
  }

  /** Ends all of them, and settles when they are over. */
  async close(): Promise<void> {
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    for (const { flow } of sources) flow?.close();
    await Promise.all(this.#running);
  }

  #begin(source: Source, client: Client, target: Target, answer: Answer): Flow {
    const flow = new Flow(answer);
    const session = this.#sessions.begin(client, { network: "udp", target });
    const running = this.#sessions.carryPackets(session, flow).then((served) => {
      this.#running.delete(running);
      const key = keyOf(client.source);
      if (this.#sources.get(key) !== source) return;
      if (served) {
        this.#sources.delete(key);
        return;
      }
      source.flow = null;
      source.refused.add(keyOf(target));
      source.refusedUntil = this.#clock.now() + REFUSED;
      // What goes elsewhere may have a way out.
      for (const packet of flow.left) this.deliver(client, packet, answer);
    });
    this.#running.add(running);
    return flow;
  }

  #endOldest(): void {
    const [[key, { flow }]] = this.#sources;
    this.#sources.delete(key);
    flow?.close();
  }
}

/** The side of a flow that leads to its client. */
class Flow implements PacketStream {
  /** What nobody fetched before the end. */
  left: Packet[] = [];
  readonly #queue = new PacketQueue();
  readonly #answer: Answer;
  #closed = false;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  deliver(packet: Packet): void {
    this.#queue.push(packet);
  }

  receive(): Promise<Packet | null> {
    return this.#queue.receive();
  }

  send(data: Uint8Array, to: Target): void {
    if (!this.#closed) this.#answer(data, to);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.left = this.#queue.close();
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
