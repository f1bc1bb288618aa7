import { describe, MtrayError } from "../../errors.ts";
import type { Session } from "../../session.ts";
import { limited } from "../../stream/limit.ts";
import { PacketFan } from "../../stream/packet_fan.ts";
import type { ByteStream, DialOptions, PacketStream, Target } from "../../stream/types.ts";
import type { Connected, ConnectedPackets, Outbound, OutboundContext } from "../types.ts";
import { Account } from "./account.ts";
import { clientPackets, clientStream } from "./client_stream.ts";
import type { Command, RequestHeader } from "./header.ts";
import { MuxClient } from "./mux/client.ts";
import { sealRequest } from "./request.ts";
import { type BodyPlan, planBody } from "./security.ts";
import type { OutboundUser, VmessOutboundSettings } from "./settings.ts";
import { Unanswered } from "./unanswered.ts";

/** How long a server may take when there is another one to try, in milliseconds. */
const ATTEMPT = 6_000;

/** A user with all that is made of the id. */
interface KnownUser extends OutboundUser {
  account: Account;
}

interface KnownServer {
  address: Target;
  users: KnownUser[];
}

/** What a connection is for. */
interface Wish extends DialOptions {
  command: Command;
  /** Absent for a multiplexer. */
  target?: Target;
}

/** Carries sessions to a VMess server, each in a connection of its own or several in one. */
export class VmessOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "vmess";
  readonly encrypts: boolean;
  readonly #context: OutboundContext;
  readonly #servers: KnownServer[];
  readonly #unanswered: Unanswered;
  readonly #mux: MuxClient | null;
  readonly #xudp: MuxClient | null;
  /** Connections so far: servers and users take turns. */
  #turn = 0;

  constructor(context: OutboundContext, { servers }: VmessOutboundSettings) {
    const { tag, encrypts, mux } = context;
    this.tag = tag;
    this.#context = context;
    this.#servers = servers.map(({ address, users }) => ({
      address,
      users: users.map((user) => ({ ...user, account: new Account(user.id) })),
    }));
    const sealed = servers.every(({ users }) =>
      users.every(({ security }) => security !== "none" && security !== "zero")
    );
    this.encrypts = encrypts || sealed;
    this.#unanswered = new Unanswered(context);
    const open = (signal: AbortSignal) => this.#stream({ command: "mux", alone: true }, signal);
    this.#mux = mux.enabled ? new MuxClient({ open, concurrency: mux.concurrency }) : null;
    this.#xudp = mux.xudp ? new MuxClient({ open, xudp: true }) : null;
  }

  async connect(session: Session, signal: AbortSignal): Promise<Connected> {
    const { target, alone } = session;
    const shared = this.#mux !== null && (alone !== true || this.#context.mux.mtproto);
    const stream = shared
      ? await this.#mux!.connect(target, signal)
      : await this.#stream({ command: "tcp", target, alone }, signal);
    return { stream, adopted: false, via: this.#via };
  }

  async openPackets({ target }: Session, signal: AbortSignal): Promise<ConnectedPackets> {
    const packets = this.#xudp !== null
      ? await this.#xudp.openPackets(target, signal)
      : await PacketFan.open(target, (target, signal) => this.#packets(target, signal), signal);
    return { packets, via: this.#via };
  }

  close(): void {
    this.#mux?.close();
    this.#xudp?.close();
  }

  get #via(): string[] {
    return [...this.#context.below, this.tag];
  }

  async #stream(wish: Wish, signal: AbortSignal): Promise<ByteStream> {
    const { inner, ...request } = await this.#begin(wish, signal);
    return clientStream(inner, request);
  }

  async #packets(target: Target, signal: AbortSignal): Promise<PacketStream> {
    if (this.#mux !== null) return await this.#mux.openPackets(target, signal);
    const { inner, ...request } = await this.#begin({ command: "udp", target }, signal);
    return clientPackets(inner, target, request);
  }

  /** A connection to the next server that takes one, and the request that it shall begin with. */
  async #begin({ command, target, alone }: Wish, signal: AbortSignal) {
    const { crypto, random, clock } = this.#context;
    const { inner, user, address } = await this.#dial({ alone }, signal);
    const plan: BodyPlan = planBody(user, command, crypto);
    const header: RequestHeader = {
      iv: random(16),
      key: random(16),
      check: random(1)[0],
      options: plan.options,
      security: plan.security,
      command,
      ...(target !== undefined && { target }),
    };
    const seconds = Math.floor(clock.wall() / 1000);
    let wire: Uint8Array;
    try {
      wire = sealRequest(header, { account: user.account, seconds, random, crypto });
    } catch (error) {
      inner.close(error);
      throw error;
    }
    return {
      inner,
      header,
      wire,
      crypto,
      random,
      terminates: !user.noTerminationSignal,
      unanswered: () => this.#unanswered.by(address, user),
      answered: () => this.#unanswered.answered(user),
    };
  }

  async #dial(
    options: DialOptions,
    signal: AbortSignal,
  ): Promise<{ inner: ByteStream; user: KnownUser; address: Target }> {
    const turn = this.#turn++;
    const failures: string[] = [];
    const { preferences } = this.#context;
    for (const [i, { address, users }] of this.#inTurn(turn).entries()) {
      signal.throwIfAborted();
      const limit = i < this.#servers.length - 1 ? limited(signal, ATTEMPT) : null;
      const user = users[Math.floor(turn / this.#servers.length) % users.length];
      try {
        const inner = await this.#context.dial(address, options, limit?.signal ?? signal);
        preferences.worked(address);
        return { inner, user, address };
      } catch (error) {
        // The error says which hop it was, the signal's reason does not.
        if (signal.aborted || this.#servers.length === 1) throw error;
        preferences.failed(address);
        failures.push(describe(error));
      } finally {
        limit?.done();
      }
    }
    throw new MtrayError("unreachable", `cannot connect to any server: ${failures.join("; ")}`);
  }

  /** All servers, one after the other first; those that failed lately come last. */
  #inTurn(turn: number): KnownServer[] {
    const at = turn % this.#servers.length;
    const servers = [...this.#servers.slice(at), ...this.#servers.slice(0, at)];
    const addresses = this.#context.preferences.order(servers.map(({ address }) => address));
    return addresses.map((address) => servers.find((server) => server.address === address)!);
  }
}
