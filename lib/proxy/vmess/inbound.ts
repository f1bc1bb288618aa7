import { sha256 } from "../../crypto/hash.ts";
import { codeOf } from "../../errors.ts";
import type { RefusalReason } from "../../observe/events.ts";
import { FirstBytes } from "../../stream/first_bytes.ts";
import { discard } from "../../stream/relay.ts";
import {
  type Accepted,
  type ByteStream,
  type PacketStream,
  type Target,
  timedOut,
} from "../../stream/types.ts";
import { ClientInbound } from "../client_inbound.ts";
import type { Carried, Client, NoWay } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import { AUTH_ID, MOST_SKEW } from "./auth_id.ts";
import type { RequestHeader } from "./header.ts";
import { serveMux } from "./mux/server.ts";
import { RequestOpener } from "./request.ts";
import { serverPackets, serverStream } from "./server_stream.ts";
import type { VmessInboundSettings } from "./settings.ts";
import { type KnownUser, Users } from "./users.ts";

/** What somebody without a valid header may send to nobody. */
const DISCARDED = 1 << 20;

/** Somebody whose header opened. */
interface Request {
  user: KnownUser;
  header: RequestHeader;
  /** Bytes of the header on the wire. */
  used: number;
}

interface Refusal {
  reason: RefusalReason;
  detail: string;
  user?: KnownUser;
}

/** Takes VMess clients in: TCP, UDP, and the sessions of their multiplexers. */
export class VmessInbound extends ClientInbound {
  override readonly protocol = "vmess";
  readonly #settings: VmessInboundSettings;
  readonly #users: Users;

  constructor(context: InboundContext, settings: VmessInboundSettings) {
    super(context);
    this.#settings = settings;
    this.#users = new Users(settings.users);
  }

  /** The story of one connection. */
  protected override async meet(accepted: Accepted, decided: () => void): Promise<Carried | void> {
    const { stream, remote } = accepted;
    const deadline = this.context.clock.now() + this.context.policy(0).handshake;
    const first = new FirstBytes(stream);
    const request = await this.#await(first, accepted, deadline);
    if (request === null) return stream.close();
    if ("reason" in request) {
      const { reason, detail, user } = request;
      this.sessions.refuse(remote, reason, detail, user);
      // Not answered, and not ended by a count of bytes: nothing tells a wrong header from one that is not whole.
      first.forget();
      await discard(stream, deadline, DISCARDED);
      return stream.close();
    }
    decided();
    return await this.#serve(accepted, request, first.after(request.used));
  }

  /** @returns null for a client that left */
  async #await(first: FirstBytes, { remote }: Accepted, deadline: number): Promise<Request | Refusal | null> {
    const { crypto, digests } = this.context;
    const more = async (): Promise<Refusal | null | undefined> => {
      const more = await first.more(deadline);
      if (more === timedOut) return { reason: "handshake-timeout", detail: "no whole header in time" };
      return more ? undefined : null;
    };
    while (first.bytes.length < AUTH_ID) {
      const end = await more();
      if (end !== undefined) return end;
    }
    const authId = first.bytes.slice(0, AUTH_ID);
    const found = this.#users.find(authId);
    if (found === null) return { reason: "no-user", detail: "no user of this port" };
    const { user, seconds } = found;
    const late = this.#lateness(seconds, remote.host);
    if (late !== null) return { reason: "bad-header", detail: late, user };
    if (!digests.add(authId)) return { reason: "replay", detail: "its auth id was used before", user };
    const opener = new RequestOpener(user.account, crypto);
    for (;;) {
      const opening = opener.open(first.bytes);
      if (opening.kind === "wrong") {
        return { reason: "bad-header", detail: `the header ${opening.why}`, user };
      }
      if (opening.kind === "header") {
        const { header, used } = opening;
        const refusal = this.#objection(header, user);
        return refusal === null ? { user, header, used } : { ...refusal, user };
      }
      const end = await more();
      if (end !== undefined) return end;
    }
  }

  /** What is wrong with the time of a valid auth id. */
  #lateness(seconds: number, host: string): string | null {
    const { clock, warnings } = this.context;
    const ahead = seconds - Math.floor(clock.wall() / 1000);
    if (Math.abs(ahead) <= MOST_SKEW) return null;
    if (!warnings.beforeRelease()) warnings.differs(host, ahead);
    return `its clock differs by ${ahead > 0 ? "+" : ""}${ahead} s from ours, and ${MOST_SKEW} s are allowed`;
  }

  #objection({ key, iv, security }: RequestHeader, { account }: KnownUser): Refusal | null {
    if (security === "none" && this.#settings.disableInsecureEncryption) {
      return {
        reason: "bad-header",
        detail: "its payload is not encrypted, which disableInsecureEncryption refuses",
      };
    }
    if (this.context.digests.add(sha256(account.cmdKey, key, iv).subarray(0, 16))) return null;
    return { reason: "replay", detail: "its key was used before" };
  }

  async #serve(
    accepted: Accepted,
    { user, header }: Request,
    rest: Uint8Array,
  ): Promise<Carried | void> {
    const { stream, remote: source, local } = accepted;
    const client: Client = { source, local, user: { email: user.email, level: user.level } };
    const means = { crypto: this.context.crypto, random: this.context.random };
    if (header.command === "udp") {
      const packets = serverPackets(stream, header, rest, means);
      return await this.#carryPackets(client, header.target!, packets);
    }
    const inside = serverStream(stream, header, rest, means);
    if (header.command === "mux") return await this.#serveMux(client, stream, inside);
    try {
      const carried = await this.#carryStream(client, header.target!, stream, inside);
      if (!("error" in carried)) return carried;
      // VMess has no words for it. An answer that ends at once tells the client at least that its id is right.
      await this.sessions.dismiss(inside, new Uint8Array());
    } catch (error) {
      // Whoever closes the connection itself leaves the ciphers behind.
      inside.close(codeOf(error) === "reset" ? error : undefined);
      throw error;
    }
  }

  async #serveMux(client: Client, stream: ByteStream, carrier: ByteStream): Promise<void> {
    // The sessions in it are asked to stop one by one, and the carrier ends with the last of them.
    const stopping = new AbortController();
    this.sessions.movedBy(stream, { stop: () => stopping.abort() });
    await serveMux(carrier, {
      stream: async (target, session) => {
        const carried = await this.#carryStream(client, target, session, session);
        if ("error" in carried) throw carried.error;
        await carried.over;
      },
      packets: (target, packets) => this.#carryPackets(client, target, packets),
    }, { idle: this.context.policy(client.user?.level ?? 0).connIdle, stopping: stopping.signal });
  }

  /** @param accepted the listener's stream, or a session of a multiplexer */
  async #carryStream(
    client: Client,
    target: Target,
    accepted: ByteStream,
    inside: ByteStream,
  ): Promise<Carried | NoWay> {
    const session = this.sessions.begin(client, { network: "tcp", target });
    const stream = await this.sessions.sniff(session, inside);
    const connected = await this.sessions.connect(session);
    if ("error" in connected) return connected;
    return this.sessions.relay(session, { accepted, client: stream, connected });
  }

  async #carryPackets(client: Client, target: Target, packets: PacketStream): Promise<void> {
    await this.sessions.carryPackets(this.sessions.begin(client, { network: "udp", target }), packets);
  }
}
