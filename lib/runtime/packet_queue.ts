import { MtrayError } from "../errors.ts";
import { MOST_WAITING, type Packet } from "../stream/types.ts";

/** Bytes that may wait beside MOST_WAITING datagrams: 64 of the usual length and some long ones, not 64 of the longest. */
export const MOST_WAITING_BYTES = 256 << 10;

/** The receiving half of a PacketStream: datagrams that wait for their reader. The oldest goes when there are too many. */
export class PacketQueue {
  /** Datagrams that nobody fetched in time. */
  dropped = 0;
  #packets: Packet[] = [];
  #size = 0;
  #reader: { resolve(packet: Packet | null): void; reject(error: unknown): void } | null = null;
  #ended = false;
  #failure: unknown;

  /** Ignored after an end. */
  push(packet: Packet): void {
    if (this.#ended) return;
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      return reader.resolve(packet);
    }
    this.#packets.push(packet);
    this.#size += packet.data.length;
    while (
      this.#packets.length > MOST_WAITING || (this.#size > MOST_WAITING_BYTES && this.#packets.length > 1)
    ) {
      this.#shift();
      this.dropped++;
    }
  }

  /** As of PacketStream. */
  receive(): Promise<Packet | null> {
    if (this.#packets.length > 0) return Promise.resolve(this.#shift());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    if (this.#reader !== null) {
      return Promise.reject(new MtrayError("protocol", "cannot receive twice at a time"));
    }
    return new Promise((resolve, reject) => this.#reader = { resolve, reject });
  }

  /** No more will come. What waits is still to be received, and then the error, if there is one. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = error;
    const reader = this.#reader;
    this.#reader = null;
    if (error === undefined) reader?.resolve(null);
    else reader?.reject(error);
  }

  /** The reader has gone. @returns what waited for it */
  close(): Packet[] {
    const left = this.#packets;
    this.#packets = [];
    this.#size = 0;
    this.#failure = undefined;
    this.end();
    return left;
  }

  #shift(): Packet {
    const packet = this.#packets.shift()!;
    this.#size -= packet.data.length;
    return packet;
  }
}
