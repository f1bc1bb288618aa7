import type { ConnectedPackets, Outbound } from "../proxy/types.ts";
import { MOST_WAITING_BYTES, PacketQueue } from "../runtime/packet_queue.ts";
import type { Session } from "../session.ts";
import { limited } from "../stream/limit.ts";
import { MOST_WAITING, type Packet, type PacketStream, type Target } from "../stream/types.ts";

/** How long a way out may take to open, in milliseconds. */
const OPEN = 30_000;
/** After a way out could not be opened, how long datagrams for it are dropped before it is tried again. Milliseconds. */
const RETRY = 10_000;
/** Targets whose way is remembered; beyond that the rules are asked again. */
const MOST_TARGETS = 1024;

/** What a flow asks of its router. */
export interface Ways {
  /** The outbound for a session. */
  pick(session: Session): Outbound;
  /** Rejects where an outbound has no way for datagrams, too. */
  open(outbound: Outbound, session: Session, signal: AbortSignal): Promise<ConnectedPackets>;
  /** Told once for each outbound that takes none of a flow's datagrams, however many there are. */
  refused(session: Session, error: unknown): void;
}

/**
 * Datagrams of one flow, which may go anywhere: the rules are asked for each new target, and each outbound that they
 * pick is opened when it is first needed. What an outbound does not take is dropped.
 */
export class RoutedPackets implements PacketStream {
  readonly #session: Session;
  readonly #ways: Ways;
  readonly #queue = new PacketQueue();
  readonly #open = new Map<Outbound, Way>();
  readonly #byTarget = new Map<string, Outbound>();
  readonly #closing = new AbortController();
  #dropped = 0;

  private constructor(session: Session, ways: Ways) {
    this.#session = session;
    this.#ways = ways;
  }

  /** A flow whose first target can be reached; it rejects when not. */
  static async open(session: Session, ways: Ways, signal: AbortSignal): Promise<ConnectedPackets> {
    const outbound = ways.pick(session);
    const { packets, via } = await ways.open(outbound, session, signal);
    const flow = new RoutedPackets(session, ways);
    flow.#byTarget.set(keyOf(session.target), outbound);
    const way = new Way();
    flow.#open.set(outbound, way);
    flow.#carry(outbound, way, packets);
    return { packets: flow, via };
  }

  get dropped(): number {
    let sum = this.#dropped + this.#queue.dropped;
    for (const way of this.#open.values()) sum += way.dropped;
    return sum;
  }

  receive(): Promise<Packet | null> {
    return this.#queue.receive();
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#closing.signal.aborted) return;
    const outbound = this.#outboundFor(to);
    let way = this.#open.get(outbound);
    if (way === undefined) {
      way = new Way();
      this.#open.set(outbound, way);
      this.#begin(outbound, way, to);
    }
    way.send(data, to);
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#queue.close();
    for (const way of this.#open.values()) way.close();
  }

  #outboundFor(to: Target): Outbound {
    const key = keyOf(to);
    let outbound = this.#byTarget.get(key);
    if (outbound === undefined) {
      outbound = this.#ways.pick({ ...this.#session, target: to });
      if (this.#byTarget.size >= MOST_TARGETS) this.#byTarget.clear();
      this.#byTarget.set(key, outbound);
    }
    return outbound;
  }

  async #begin(outbound: Outbound, way: Way, target: Target): Promise<void> {
    const session = { ...this.#session, target };
    const limit = limited(this.#closing.signal, OPEN);
    try {
      const { packets } = await this.#ways.open(outbound, session, limit.signal);
      if (this.#closing.signal.aborted) packets.close();
      else this.#carry(outbound, way, packets);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#ways.refused(session, error);
      way.fail(() => this.#forget(outbound, way), RETRY);
    } finally {
      limit.done();
    }
  }

  /** Until the way ends. Never rejects. */
  async #carry(outbound: Outbound, way: Way, packets: PacketStream): Promise<void> {
    way.opened(packets);
    let failure: unknown;
    try {
      for (let packet; (packet = await packets.receive()) !== null;) this.#queue.push(packet);
    } catch (error) {
      failure = error;
    }
    packets.close();
    this.#forget(outbound, way);
    // The others go on, and a new datagram for this one opens it again.
    if (![...this.#open.values()].some(({ failed }) => !failed)) {
      this.#queue.end(failure);
    }
  }

  #forget(outbound: Outbound, way: Way): void {
    this.#dropped += way.dropped;
    this.#open.delete(outbound);
  }
}

/** The way to one outbound: being opened, open, or failed. */
class Way {
  #waiting: { data: Uint8Array; to: Target }[] = [];
  #bytes = 0;
  #packets: PacketStream | null = null;
  #dropped = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  failed = false;

  get dropped(): number {
    return this.#dropped + (this.#packets?.dropped ?? 0);
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#packets !== null) return this.#packets.send(data, to);
    if (this.failed) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ data, to });
    this.#bytes += data.length;
    while (this.#waiting.length > MOST_WAITING || this.#bytes > MOST_WAITING_BYTES) {
      this.#bytes -= this.#waiting.shift()!.data.length;
      this.#dropped++;
    }
  }

  opened(packets: PacketStream): void {
    this.#packets = packets;
    for (const { data, to } of this.#waiting.splice(0)) packets.send(data, to);
  }

  fail(forget: () => void, after: number): void {
    this.failed = true;
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#retry = setTimeout(forget, after);
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#waiting = [];
    this.#packets?.close();
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
