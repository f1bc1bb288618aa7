import ipaddr from "ipaddr.js";
import { describe } from "../../errors.ts";
import { IdleWatch } from "../../stream/idle.ts";
import type { Accepted, BoundPackets, Target } from "../../stream/types.ts";
import { PacketFlows } from "../packet_flows.ts";
import { type Client, PACKETS_IDLE, type Sessions } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import { datagram, parseDatagram, REPLY, reply } from "./wire.ts";

/** UDP for clients of SOCKS 5: a port for each of them, for as long as its control connection lives. */
export class Associations {
  readonly #context: InboundContext;
  readonly #sessions: Sessions;
  readonly #ip?: string;

  /** @param ip what clients are told to send to, instead of the address that they reached */
  constructor(context: InboundContext, sessions: Sessions, ip?: string) {
    this.#context = context;
    this.#sessions = sessions;
    this.#ip = ip;
  }

  /** Binds a port, tells the client, and carries its datagrams until it leaves or nothing came for a minute. */
  async serve(accepted: Accepted, client: Client): Promise<void> {
    const { stream, remote, local } = accepted;
    let port: BoundPackets;
    try {
      port = await this.#context.openPackets({ host: plain(local.host), port: 0 });
    } catch (error) {
      this.#sessions.refuse(remote, "unreachable", describe(error), client.user);
      return await this.#sessions.dismiss(stream, reply(REPLY.failure));
    }
    const watch = new IdleWatch(PACKETS_IDLE, () => stream.close());
    try {
      const { address } = port;
      await stream.write(reply(REPLY.granted, { host: this.#ip ?? address.host, port: address.port }));
      const carrying = this.#carry(port, client, plain(remote.host), () => watch.touch());
      await untilEnd(stream);
      port.close();
      await carrying;
    } finally {
      watch.stop();
      port.close();
      stream.close();
    }
  }

  /** Until the port is closed. Only the client's own address is listened to, and only the first port of it. */
  async #carry(port: BoundPackets, client: Client, host: string, touch: () => void): Promise<void> {
    const flows = new PacketFlows(this.#sessions, this.#context.clock, 1);
    let source: Target | undefined;
    const answer = (data: Uint8Array, from: Target) => {
      touch();
      port.send(datagram(from, data), source!);
    };
    for (let packet; (packet = await port.receive()) !== null;) {
      const { from } = packet;
      if (from.host !== host || (source !== undefined && from.port !== source.port)) continue;
      const found = parseDatagram(packet.data);
      if (found === null) continue;
      source ??= from;
      touch();
      flows.deliver({ ...client, source }, { data: found.data, from: found.target }, answer);
    }
    await flows.close();
  }
}

/** What a control connection says is of no interest, but for its end. */
async function untilEnd(stream: Accepted["stream"]): Promise<void> {
  try {
    while (await stream.ready()) stream.take();
  } catch { /* Gone, or closed by us. */ }
}

/** An IPv4 address stays one when it arrives on a socket that takes both families. */
function plain(host: string): string {
  return ipaddr.isValid(host) ? ipaddr.process(host).toString() : host;
}
