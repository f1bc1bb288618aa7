import type { Packet, PacketStream, Target } from "../../stream/types.ts";
import type { Redirect } from "./settings.ts";

/** Where `redirect` leads a target. */
export function redirected(target: Target, redirect: Redirect): Target {
  return { host: redirect.host ?? target.host, port: redirect.port };
}

/**
 * Sends every datagram to where `redirect` says. Answers seem to come from whoever the client sent to last, since it
 * knows of no redirection; where only the port is another, from that port of whoever answers.
 */
export class RedirectedPackets implements PacketStream {
  readonly #inner: PacketStream;
  readonly #redirect: Redirect;
  #last: Target | null = null;

  constructor(inner: PacketStream, redirect: Redirect) {
    this.#inner = inner;
    this.#redirect = redirect;
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  async receive(): Promise<Packet | null> {
    const packet = await this.#inner.receive();
    return packet === null ? null : { data: packet.data, from: this.#seen(packet.from) };
  }

  send(data: Uint8Array, to: Target): void {
    this.#last = to;
    this.#inner.send(data, redirected(to, this.#redirect));
  }

  close(): void {
    this.#inner.close();
  }

  #seen(from: Target): Target {
    if (this.#last === null) return from;
    return this.#redirect.host === undefined ? { host: from.host, port: this.#last.port } : this.#last;
  }
}
