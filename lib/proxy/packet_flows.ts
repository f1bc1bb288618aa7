import { PacketQueue } from "../runtime/packet_queue.ts";
import type { Packet, PacketStream, Target } from "../stream/types.ts";
import type { Client, Sessions } from "./sessions.ts";
import type { Clock } from "./types.ts";

/** After a flow found no way out, how long its datagrams are dropped without asking again. Milliseconds. */
const REFUSED = 5_000;

/** Sends an answer back to the client of a flow. */
export type Answer = (data: Uint8Array, from: Target) => void;

/** The flows of datagrams that come in by one port, a session for each client's address. */
export class PacketFlows {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #most: number;
  /** The one that was idle longest comes first. */
  readonly #flows = new Map<string, Flow>();
  readonly #running = new Set<Promise<void>>();

  /** @param most flows at a time; for a new one beyond that, the one that was idle longest goes */
  constructor(sessions: Sessions, clock: Clock, most: number) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#most = most;
  }

  /** A client's datagram; `packet.from` is whoever it is sent to. The first of a flow begins its session. */
  deliver(client: Client, packet: Packet, answer: Answer): void {
    const key = `${client.source.host} ${client.source.port}`;
    let flow = this.#flows.get(key);
    this.#flows.delete(key);
    if (flow === undefined || flow.refusedUntil < this.#clock.now()) {
      flow = new Flow(answer);
      if (this.#flows.size >= this.#most) this.#endOldest();
      this.#run(key, flow, client, packet.from);
    }
    this.#flows.set(key, flow);
    flow.deliver(packet);
  }

  /** Ends all of them, and settles when they are over. */
  async close(): Promise<void> {
    for (const flow of this.#flows.values()) flow.close();
    this.#flows.clear();
    await Promise.all(this.#running);
  }

  #run(key: string, flow: Flow, client: Client, target: Target): void {
    const session = this.#sessions.begin(client, { network: "udp", target });
    const running = this.#sessions.carryPackets(session, flow).then((served) => {
      this.#running.delete(running);
      if (!served) flow.refusedUntil = this.#clock.now() + REFUSED;
      else if (this.#flows.get(key) === flow) this.#flows.delete(key);
    });
    this.#running.add(running);
  }

  #endOldest(): void {
    const [[key, flow]] = this.#flows;
    this.#flows.delete(key);
    flow.close();
  }
}

/** The side of a flow that leads to its client. */
class Flow implements PacketStream {
  /** Milliseconds of the monotonic clock: once there was no way out, until when nobody asks again. */
  refusedUntil = Infinity;
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
    this.#closed = true;
    this.#queue.close();
  }
}
