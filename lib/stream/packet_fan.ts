import { MtrayError } from "../errors.ts";
import { textOf } from "../runtime/address.ts";
import { MOST_WAITING_BYTES, PacketQueue } from "../runtime/packet_queue.ts";
import { IdleWatch } from "./idle.ts";
import { type DialPackets, MOST_WAITING, type Packet, type PacketStream, type Target } from "./types.ts";

/** Targets that a flow talks to at the same time; the one that was used longest ago goes. */
const MOST_TARGETS = 64;
/** A way that carried nothing for so long is closed, in milliseconds. */
const IDLE = 60_000;

/** After two ways ended this soon and without an answer, their target's datagrams are dropped as long. Milliseconds. */
const REST = 5_000;

/** A way to one target, open or being opened. */
interface Way {
  target: Target;
  packets: PacketStream | null;
  /** Until it is open. */
  waiting: Uint8Array[];
  idle: IdleWatch;
  /** It failed, and is not tried again yet. */
  resting: boolean;
}

/**
 * Datagrams to any target, over ways that lead to one target each, such as a connection of VMess. A target gets its
 * way with its first datagram.
 */
export class PacketFan implements PacketStream {
  readonly #dial: DialPackets;
  /** By the target's text, that used longest ago first. */
  readonly #ways = new Map<string, Way>();
  readonly #received = new PacketQueue();
  readonly #closing = new AbortController();
  #dropped = 0;
  /** Targets whose last way failed. */
  readonly #failed = new Set<string>();
  /** Bytes that wait for all ways that are being opened. */
  #waiting = 0;

  private constructor(dial: DialPackets) {
    this.#dial = dial;
  }

  /** Rejects with what the way to the first target failed with. */
  static async open(target: Target, dial: DialPackets, signal: AbortSignal): Promise<PacketFan> {
    const packets = await dial(target, signal);
    const fan = new PacketFan(dial);
    void fan.#live(fan.#add(target), Promise.resolve(packets));
    return fan;
  }

  get dropped(): number {
    const ways = [...this.#ways.values()].map(({ packets }) => packets?.dropped ?? 0);
    return ways.reduce((sum, dropped) => sum + dropped, this.#dropped + this.#received.dropped);
  }

  receive(): Promise<Packet | null> {
    return this.#received.receive();
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#closing.signal.aborted) return;
    const key = textOf(to);
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = this.#add(to);
      void this.#live(way, this.#dial(to, this.#closing.signal));
    } else {
      this.#ways.delete(key);
      this.#ways.set(key, way);
    }
    if (way.resting) {
      this.#dropped++;
      return;
    }
    way.idle.touch();
    if (way.packets !== null) return way.packets.send(data, to);
    way.waiting.push(data);
    this.#waiting += data.length;
    while (
      way.waiting.length > 0 && (way.waiting.length > MOST_WAITING || this.#waiting > MOST_WAITING_BYTES)
    ) {
      this.#waiting -= way.waiting.shift()!.length;
      this.#dropped++;
    }
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new MtrayError("closed", "the flow of datagrams has ended"));
    for (const way of this.#ways.values()) this.#end(way);
    this.#received.close();
  }

  #add(target: Target): Way {
    if (this.#ways.size >= MOST_TARGETS) this.#end(this.#ways.values().next().value!);
    const way: Way = {
      target,
      packets: null,
      waiting: [],
      resting: false,
      idle: new IdleWatch(IDLE, () => this.#end(way)),
    };
    this.#ways.set(textOf(target), way);
    return way;
  }

  /** From its opening to its end. A way that fails is one that loses datagrams: the next one opens another. */
  async #live(way: Way, opening: Promise<PacketStream>): Promise<void> {
    let young = true, answered = false;
    const age = new IdleWatch(REST, () => young = false);
    try {
      const packets = await opening;
      if (this.#ways.get(textOf(way.target)) !== way) {
        age.stop();
        return packets.close();
      }
      way.packets = packets;
      for (const data of this.#fetch(way)) packets.send(data, way.target);
      for (let packet; (packet = await packets.receive()) !== null;) {
        answered = true;
        way.idle.touch();
        this.#received.push(packet);
      }
    } catch { /* Lost on the way. */ }
    this.#dropped += this.#fetch(way).length;
    const key = textOf(way.target);
    age.stop();
    if (answered || !young) this.#failed.delete(key);
    else if (this.#failed.has(key)) return this.#rest(way);
    else {
      if (this.#failed.size >= MOST_TARGETS) this.#failed.clear();
      this.#failed.add(key);
    }
    this.#end(way);
  }

  /** Whoever sends connections away is not sent one for each datagram. */
  #rest(way: Way): void {
    if (this.#ways.get(textOf(way.target)) !== way) return this.#end(way);
    this.#dropped += way.packets?.dropped ?? 0;
    way.packets?.close();
    way.packets = null;
    way.resting = true;
    way.idle.stop();
    way.idle = new IdleWatch(REST, () => this.#end(way));
  }

  /** What waits for a way, which from now on does not wait any more. */
  #fetch({ waiting }: Way): Uint8Array[] {
    const datagrams = waiting.splice(0);
    this.#waiting -= datagrams.reduce((sum, { length }) => sum + length, 0);
    return datagrams;
  }

  #end(way: Way): void {
    const key = textOf(way.target);
    if (this.#ways.get(key) === way) {
      this.#ways.delete(key);
      this.#dropped += way.packets?.dropped ?? 0;
    }
    this.#dropped += this.#fetch(way).length;
    way.idle.stop();
    way.packets?.close();
  }
}
