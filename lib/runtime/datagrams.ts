import { createSocket, type Socket } from "node:dgram";
import { MtrayError } from "../errors.ts";
import { type BoundPackets, MOST_WAITING, type Packet, type Target } from "../stream/types.ts";

/** Binds a UDP socket. Port 0 takes any. */
export function openPackets(at: { host: string; port: number }): Promise<DatagramSocket> {
  const socket = createSocket(at.host.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(at.port, at.host, () => {
      socket.off("error", reject);
      resolve(new DatagramSocket(socket));
    });
  });
}

/** A UDP socket as a stream of packets. What cannot be sent is dropped, as UDP does. */
export class DatagramSocket implements BoundPackets {
  /** As bound. */
  readonly address: Target;
  /** Datagrams that nobody fetched in time. */
  dropped = 0;
  readonly #socket: Socket;
  readonly #queue: Packet[] = [];
  #reader: ((packet: Packet | null) => void) | null = null;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.address = { host: address, port };
    socket.on(
      "message",
      (data, from) => this.#received({ data, from: { host: from.address, port: from.port } }),
    );
    // An ICMP answer to an earlier datagram: nothing that a sender of datagrams could do about.
    socket.on("error", () => {});
  }

  receive(): Promise<Packet | null> {
    const packet = this.#queue.shift();
    if (packet !== undefined) return Promise.resolve(packet);
    if (this.#closed) return Promise.resolve(null);
    if (this.#reader !== null) {
      return Promise.reject(new MtrayError("protocol", "cannot receive twice at a time"));
    }
    return new Promise((resolve) => this.#reader = resolve);
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#closed) return;
    try {
      this.#socket.send(data, to.port, to.host, () => {});
    } catch { /* Dropped. */ }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#reader?.(null);
    this.#reader = null;
  }

  #received(packet: Packet): void {
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader(packet);
      return;
    }
    if (this.#queue.length === MOST_WAITING) {
      this.#queue.shift();
      this.dropped++;
    }
    this.#queue.push(packet);
  }
}

/** A way for datagrams to any address. */
export function dialPackets(target: Target): Promise<DatagramSocket> {
  return openPackets({ host: target.host.includes(":") ? "::" : "0.0.0.0", port: 0 });
}
