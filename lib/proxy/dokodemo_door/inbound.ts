import { describe } from "../../errors.ts";
import type { Accepted, BoundPackets, Target } from "../../stream/types.ts";
import { ClientInbound } from "../client_inbound.ts";
import { PacketFlows } from "../packet_flows.ts";
import type { Carried, Client } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import type { DokodemoSettings } from "./settings.ts";

/** UDP clients of one port at a time. */
const MOST_FLOWS = 1024;

/** Takes whatever comes to one target, by TCP, by UDP or by both. */
export class DokodemoInbound extends ClientInbound {
  override readonly protocol = "dokodemo-door";
  readonly acceptsStreams: boolean;
  readonly acceptPackets?: (port: BoundPackets) => Promise<void>;
  readonly #settings: DokodemoSettings;

  constructor(context: InboundContext, settings: DokodemoSettings) {
    super(context);
    this.acceptsStreams = settings.tcp;
    if (settings.udp) this.acceptPackets = (port) => this.#carry(port);
    this.#settings = settings;
  }

  protected override async meet(
    { stream, remote, local }: Accepted,
    decided: () => void,
  ): Promise<Carried | void> {
    decided();
    const { target, timeout } = this.#settings;
    const client = this.#client(remote, local);
    const session = this.sessions.begin(client, { network: "tcp", target });
    const policy = this.context.policy(this.#settings.userLevel);
    return await this.sessions.serve(session, {
      accepted: stream,
      client: stream,
      ...(timeout !== undefined && { limits: { ...policy, connIdle: timeout } }),
    });
  }

  async #carry(port: BoundPackets): Promise<void> {
    const flows = new PacketFlows(this.sessions, this.context.clock, MOST_FLOWS);
    try {
      for (let packet; (packet = await port.receive()) !== null;) {
        const { data, from: source } = packet;
        flows.deliver(
          this.#client(source, port.address),
          { data, from: this.#settings.target },
          (answer) => port.send(answer, source),
        );
      }
    } catch (error) {
      this.context.events.note("error", `${this.tag}: UDP failed: ${describe(error)}`);
    } finally {
      port.close();
      await flows.close();
    }
  }

  #client(source: Target, local: Target): Client {
    return { source, local, user: { email: "", level: this.#settings.userLevel } };
  }
}
