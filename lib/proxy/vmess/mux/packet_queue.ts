import { MOST_WAITING_BYTES } from "../../../runtime/packet_queue.ts";
import { MOST_WAITING } from "../../../stream/types.ts";

/** Datagrams that wait to be sent. When there are too many, or too many bytes of them, the oldest make room. */
export class PacketQueue<T extends { data: Uint8Array }> {
  #dropped = 0;
  #bytes = 0;
  #waiting: T[] = [];

  /** How many had to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The next one, which stays. */
  get first(): T | undefined {
    return this.#waiting[0];
  }

  push(packet: T): void {
    this.#waiting.push(packet);
    this.#bytes += packet.data.length;
    while (this.#waiting.length > MOST_WAITING || this.#bytes > MOST_WAITING_BYTES) {
      this.shift();
      this.#dropped++;
    }
  }

  shift(): T | undefined {
    const packet = this.#waiting.shift();
    this.#bytes -= packet?.data.length ?? 0;
    return packet;
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}
