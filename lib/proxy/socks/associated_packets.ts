import ipaddr from "ipaddr.js";
import { MtrayError } from "../../errors.ts";
import type { ByteStream, Packet, PacketStream, Target } from "../../stream/types.ts";
import { datagram, parseDatagram } from "./wire.ts";

/**
 * Where datagrams go.
 *
 * @param bound what the server says; the unspecified address there stands for its own
 */
export function relayAddress(bound: Target | null, server: Target): Target {
  if (bound === null || bound.port === 0) {
    throw new MtrayError("refused", "the server says no address to send datagrams to");
  }
  return bound.host === "0.0.0.0" || bound.host === "::" ? { host: server.host, port: bound.port } : bound;
}

/** Datagrams by way of a server of SOCKS 5, for as long as the connection lives by which it was asked. */
export class AssociatedPackets implements PacketStream {
  readonly #control: ByteStream;
  readonly #inner: PacketStream;
  readonly #relay: Target;

  constructor(control: ByteStream, inner: PacketStream, relay: Target) {
    this.#control = control;
    this.#inner = inner;
    this.#relay = relay;
    this.#watch();
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  async receive(): Promise<Packet | null> {
    for (;;) {
      const packet = await this.#inner.receive();
      if (packet === null) return null;
      if (!this.#isRelay(packet.from)) continue;
      const found = parseDatagram(packet.data);
      if (found !== null) return { data: found.data, from: found.target };
    }
  }

  send(data: Uint8Array, to: Target): void {
    this.#inner.send(datagram(to, data), this.#relay);
  }

  close(): void {
    this.#inner.close();
    this.#control.close();
  }

  /** Anybody can send to our socket; only the relay speaks for others. Of one with a name the port must do. */
  #isRelay({ host, port }: Target): boolean {
    return port === this.#relay.port && (host === this.#relay.host || !ipaddr.isValid(this.#relay.host));
  }

  async #watch(): Promise<void> {
    try {
      while (await this.#control.ready()) this.#control.take();
    } catch { /* Ended all the same. */ }
    this.close();
  }
}
