import { MtrayError } from "../../errors.ts";
import type { ByteStream, Packet, PacketStream, Target } from "../../stream/types.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { ChunkWriter } from "./chunk_writer.ts";
import { Incoming } from "./incoming.ts";
import { PacketQueue } from "./mux/packet_queue.ts";
import { Outgoing } from "./outgoing.ts";
import type { Ends } from "./stream.ts";

/** A UDP datagram's data at most, in bytes: what a chunk without a size of its own can carry. */
const MOST_BARE = 65_507;

/** The datagrams that a VMess connection carries, one in a chunk, to and from one destination. */
export class VmessPackets implements PacketStream {
  readonly #inner: ByteStream;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #reader: ChunkReader | null;
  readonly #writer: ChunkWriter | null;
  readonly #target: Target;
  readonly #waiting = new PacketQueue<{ data: Uint8Array }>();
  #sending = false;
  #receiving = false;
  /** Datagrams that no chunk can carry. */
  #impossible = 0;
  #closed = false;
  /** Without chunks, what comes at once is one datagram, as V2Ray has it. */
  #bare: Uint8Array | null = null;

  /** @param target the one destination */
  constructor(inner: ByteStream, ends: Ends, target: Target) {
    this.#inner = inner;
    this.#incoming = new Incoming(inner, ends);
    this.#outgoing = new Outgoing(inner, ends);
    this.#reader = ends.reader;
    this.#writer = ends.writer;
    this.#target = target;
  }

  get dropped(): number {
    return this.#waiting.dropped + this.#impossible;
  }

  async receive(): Promise<Packet | null> {
    if (this.#receiving) throw new MtrayError("protocol", "cannot receive twice at a time");
    this.#receiving = true;
    try {
      this.#outgoing.expectAnswer();
      for (;;) {
        const data = this.#closed ? null : this.#next();
        if (data !== null) return { data, from: this.#target };
        if (this.#closed || !await this.#incoming.ready()) return null;
        if (!this.#closed) this.#feed();
      }
    } catch (error) {
      // What we ended ourselves is an end.
      if (this.#closed) return null;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  send(data: Uint8Array, _to: Target): void {
    if (this.#closed) return;
    // A chunk without text would end the stream.
    if (data.length === 0 || data.length > (this.#writer?.most ?? MOST_BARE)) {
      this.#impossible++;
      return;
    }
    this.#waiting.push({ data });
    if (!this.#sending) void this.#sendWaiting();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming.close();
    this.#waiting.clear();
    this.#inner.close();
    this.#outgoing.close();
    this.#reader?.close();
  }

  /** A copy of the next datagram that is here. */
  #next(): Uint8Array | null {
    const bare = this.#bare;
    this.#bare = null;
    if (bare !== null) return bare;
    const reader = this.#reader;
    return reader === null ? null : this.#incoming.decode(() => reader.next()?.slice() ?? null);
  }

  #feed(): void {
    const bytes = this.#incoming.take(0);
    if (this.#reader !== null) this.#reader.feed(bytes);
    else if (bytes.length > 0) this.#bare = bytes.slice();
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true;
    try {
      for (let packet; (packet = this.#waiting.shift()) !== undefined;) {
        await this.#outgoing.write(packet.data);
      }
      this.#sending = false;
    } catch {
      // The reader hears of it; nothing more can be sent.
      this.#waiting.clear();
    }
  }
}
