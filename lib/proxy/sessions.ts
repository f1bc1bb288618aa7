import { codeOf, describe, type ErrorCode, MtrayError } from "../errors.ts";
import type { RefusalReason } from "../observe/events.ts";
import type { MtprotoHeader, Session, User } from "../session.ts";
import { limited } from "../stream/limit.ts";
import { discard, Relay, type RelayLimits } from "../stream/relay.ts";
import { relayPackets } from "../stream/packet_relay.ts";
import type { Accepted, ByteStream, PacketStream, Target } from "../stream/types.ts";
import { Handshakes } from "./handshakes.ts";
import { SessionLog } from "./session_log.ts";
import { Sniffer, sniffStream } from "./sniff.ts";
import type { Connected, ConnectedPackets, InboundContext } from "./types.ts";

/** How long the way out may take to open, over all addresses that are tried. Milliseconds. */
const CONNECT = 30_000;
/** A flow of datagrams ends after this much silence, in milliseconds. */
export const PACKETS_IDLE = 60_000;
/** How long somebody who is sent away has to take the last word, in milliseconds, … */
const DISMISSAL = 2_000;
/** … and what may still come from there meanwhile, in bytes. */
const DISCARDED = 64 << 10;

/** Whoever an inbound serves, before a target is known. */
export interface Client {
  source: Target;
  local: Target;
  user?: User;
}

/** What a session asks for. */
export interface Wish {
  network: "tcp" | "udp";
  target: Target;
  mtproto?: MtprotoHeader;
}

/** What a session's bytes come from, and how they go on. */
export interface Given {
  /** The stream that the session came in by: the listener's, or one session of a multiplexer. */
  accepted: ByteStream;
  /** The same with the protocol taken off. */
  client: ByteStream;
  /** Goes to the far end before anything else, and is not counted. */
  first?: Uint8Array;
  /** Instead of those of the user's level. */
  limits?: RelayLimits;
}

/** A protocol's words for how a connection went. */
export interface Answers {
  granted: Uint8Array;
  refused(code: ErrorCode): Uint8Array;
}

/** Why there is no way out, for an answer in the client's own protocol. */
export interface NoWay {
  error: unknown;
}

/**
 * A session whose bytes are being moved: all that its connection waits for. In an object, so that no function on the
 * way back waits for it, and keeps what it needed for the handshake as long as the connection lives.
 */
export interface Carried {
  /** Never rejects. */
  readonly over: Promise<void>;
}

/** Something that moves bytes and can be asked to stop. */
interface Stoppable {
  stop(): void;
}

/**
 * All connections of one inbound, and what every inbound does with a client once it knows what it wants: a session,
 * a way out, the relay, and the events about them.
 */
export class Sessions {
  readonly #context: InboundContext;
  readonly #log: SessionLog;
  readonly #handshakes: Handshakes<Accepted>;
  /** There where the config asks for it. */
  readonly sniffer: Sniffer | null;
  readonly #stopping = new AbortController();
  /** What is open, and what moves its bytes once it is decided. */
  readonly #open = new Map<{ close(): void }, Stoppable | null>();

  constructor(context: InboundContext) {
    this.#context = context;
    this.#log = new SessionLog(context);
    this.#handshakes = new Handshakes(context.mostHandshakes, ({ stream, remote }) => {
      this.refuse(remote, "handshake-limit", "too many connections are undecided, and this is the oldest");
      stream.close();
    });
    this.sniffer = context.sniffing === undefined ? null : new Sniffer(context.sniffing);
  }

  /** Aborted by `stop` and `close`. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Leads one connection from its first byte to its last. When `story` rejects, the connection is closed, as an abort
   * where the peer aborted. Never rejects.
   *
   * @param story calls `decided` once it is clear what the client wants: until then the connection counts as a
   * handshake, of which the oldest is ended when there are too many
   */
  async take(
    accepted: Accepted,
    story: (accepted: Accepted, decided: () => void) => Promise<Carried | void>,
  ): Promise<void> {
    const { stream } = accepted;
    this.#open.set(stream, null);
    this.#handshakes.enter(accepted);
    try {
      const carried = await story(accepted, () => this.#handshakes.leave(accepted));
      if (carried !== undefined) await carried.over;
    } catch (error) {
      // It left before it was clear who it was; anything else is a mistake of ours.
      if (!(error instanceof MtrayError)) {
        this.#context.events.note("error", `${this.#context.tag}: a connection failed: ${describe(error)}`);
      }
      stream.close(codeOf(error) === "reset" ? error : undefined);
    } finally {
      this.#handshakes.leave(accepted);
      this.#open.delete(stream);
    }
  }

  /** Says what moves the bytes of an open connection, so that `stop` can let its writes finish. */
  movedBy(stream: ByteStream, mover: Stoppable): void {
    this.#open.set(stream, mover);
    if (this.stopping.aborted) mover.stop();
  }

  /** Forgets a connection that somebody else looks after from now on. */
  release(stream: ByteStream): void {
    this.#open.delete(stream);
  }

  /**
   * What a handshake comes to. Null when the client did not do its part in time, or said what makes no sense: that is
   * in the log by then, and the connection is closed.
   *
   * @param lastWord what the client is told, if anything
   */
  async handshake<T>(
    { stream, remote }: Accepted,
    reading: Promise<T>,
    lastWord?: (code: ErrorCode) => Uint8Array,
  ): Promise<T | null> {
    try {
      return await reading;
    } catch (error) {
      const code = codeOf(error);
      if (code !== "timed-out" && code !== "protocol") throw error;
      this.refuse(remote, code === "protocol" ? "bad-header" : "handshake-timeout", describe(error));
      if (lastWord === undefined) stream.close();
      else await this.dismiss(stream, lastWord(code));
      return null;
    }
  }

  /** A new session of a client. */
  begin({ source, local, user }: Client, wish: Wish): Session {
    return {
      id: this.#context.nextSessionId(),
      inboundTag: this.#context.tag,
      ...(user !== undefined && { user }),
      source,
      local,
      ...wish,
      bytesUp: 0,
      bytesDown: 0,
      openedAt: this.#context.clock.now(),
    };
  }

  /**
   * Learns a session's protocol and domain from the client's first bytes, where the config asks for it. Call it
   * before `connect`, and only once the client has been told to go on: until then it says nothing.
   *
   * @param client the stream with the protocol taken off
   * @returns the stream to go on with, which begins with the bytes that were looked at
   */
  async sniff(session: Session, client: ByteStream): Promise<ByteStream> {
    if (this.sniffer === null || session.network === "udp") return client;
    const { found, stream } = await sniffStream(client, this.#context.clock);
    if (found !== null) this.sniffer.apply(session, found);
    return stream;
  }

  /** The way out that the router has for a session. A refusal is in the log by the time it is returned. */
  async connect(session: Session): Promise<Connected | NoWay> {
    const limit = limited(this.stopping, CONNECT);
    try {
      return await this.#context.router.connect(session, limit.signal);
    } catch (error) {
      this.#log.noWay(session, error);
      return { error };
    } finally {
      limit.done();
    }
  }

  /**
   * The whole way of a session of a protocol that answers its client: with `granted` once there is a way out, or else
   * with what `refused` makes of the error. Where first bytes are looked at the client is told to go on before there
   * is a way out, since it would say nothing otherwise; without one it then sees an end.
   */
  async serve(session: Session, given: Given & { answers?: Answers }): Promise<Carried | void> {
    const { answers, accepted } = given;
    let { client } = given;
    const early = this.sniffer !== null;
    if (early && answers !== undefined) await client.write(answers.granted.slice());
    client = await this.sniff(session, client);
    const connected = await this.connect(session);
    if ("error" in connected) {
      if (early || answers === undefined) return accepted.close();
      return await this.dismiss(accepted, answers.refused(codeOf(connected.error)));
    }
    if (!early && answers !== undefined) {
      try {
        await client.write(answers.granted.slice());
      } catch (error) {
        connected.stream.close(error);
        throw error;
      }
    }
    return this.relay(session, { ...given, client, connected });
  }

  /** Begins to move the bytes of a session, until both sides have finished; both streams are then closed. */
  relay(
    session: Session,
    { accepted, client, connected: { stream, via, adopted }, first, limits }: Given & {
      connected: Connected;
    },
  ): Carried {
    const relay = new Relay(client, stream);
    this.#log.opened(session, via, adopted);
    this.movedBy(accepted, relay);
    const policy = limits ?? this.#context.policy(session.user?.level ?? 0);
    return { over: this.#carry(session, via, accepted, relay.run(policy, session, first)) };
  }

  async #carry(
    session: Session,
    via: string[],
    accepted: ByteStream,
    moving: Promise<string>,
  ): Promise<void> {
    this.#log.closed(session, via, await moving);
    this.#open.delete(accepted);
  }

  /**
   * Carries a client's datagrams until either side ends or nothing came for a minute; both sides are then closed.
   * Never rejects: where there is no way out it says so in the log, and closes the client's side.
   *
   * @returns whether there was a way out
   */
  async carryPackets(session: Session, client: PacketStream): Promise<boolean> {
    this.#open.set(client, null);
    try {
      const connected = await this.#openPackets(session);
      if (connected === null) return false;
      const { packets: far, via } = connected;
      const end = () => {
        client.close();
        far.close();
      };
      this.#open.set(client, { stop: end });
      this.#log.opened(session, via, false);
      if (this.stopping.aborted) end();
      const reason = await relayPackets(client, far, PACKETS_IDLE, session);
      this.#log.closed(session, via, reason);
      return true;
    } finally {
      client.close();
      this.#open.delete(client);
    }
  }

  /**
   * Says a last word to a client and closes the connection. What it still sends is read for a moment: closing over
   * it would be a reset, which may overtake the word.
   */
  async dismiss(stream: ByteStream, word: Uint8Array): Promise<void> {
    await stream.write(word);
    await stream.closeWrite();
    await discard(stream, this.#context.clock.now() + DISMISSAL, DISCARDED);
    stream.close();
  }

  /** Says in the log that somebody was not served. */
  refuse(source: Target, reason: RefusalReason, detail: string, user?: { email: string }): void {
    this.#log.refused(source, reason, detail, { user });
  }

  /** Reads no more: writes that are under way may finish, everything else ends. */
  stop(): void {
    this.#stopping.abort(new MtrayError("stopped", "mtray is stopping"));
    for (const [stream, mover] of this.#open) mover === null ? stream.close() : mover.stop();
  }

  /** Ends everything that is open. */
  close(): void {
    this.#stopping.abort(new MtrayError("stopped", "mtray is stopping"));
    for (const stream of this.#open.keys()) stream.close();
  }

  async #openPackets(session: Session): Promise<ConnectedPackets | null> {
    const { router } = this.#context;
    const limit = limited(this.stopping, CONNECT);
    try {
      if (router.openPackets === undefined) {
        throw new MtrayError("unsupported", "the router carries no datagrams");
      }
      return await router.openPackets(session, limit.signal);
    } catch (error) {
      this.#log.noWay(session, error);
      return null;
    } finally {
      limit.done();
    }
  }
}
