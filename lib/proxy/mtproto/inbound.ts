import { codeOf, describe } from "../../errors.ts";
import { x25519PublicKey } from "../../crypto/random.ts";
import type { RefusalReason } from "../../observe/events.ts";
import { textOf } from "../../runtime/address.ts";
import { cipherStream } from "../../stream/cipher_stream.ts";
import { FirstBytes } from "../../stream/first_bytes.ts";
import { discard } from "../../stream/relay.ts";
import { type Accepted, type ByteStream, timedOut } from "../../stream/types.ts";
import { ClientInbound } from "../client_inbound.ts";
import type { Carried } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import { ruleTargetOf } from "./data_centres.ts";
import { judge, type Verdict } from "./first_flight.ts";
import { Fronting } from "./fronting.ts";
import { HEADER_LENGTH, headerDigest, type OpenedHeader, openHeader } from "./header.ts";
import { RecordStream } from "./records.ts";
import { flightLength, serverHello } from "./server_hello.ts";
import type { MtprotoInboundSettings } from "./settings.ts";
import { Sites } from "./sites.ts";
import { type KnownUser, Users } from "./users.ts";

/** On a port with a site, how long a connection may be undecided before it is shown the site. Milliseconds. */
const UNDECIDED = 10_000;
/** What somebody without a valid header may send to nobody. */
const DISCARDED = 1 << 20;

type Decided = Exclude<Verdict, { kind: "more" }> | { kind: "undecided" } | { kind: "gone" };

/** Takes Telegram clients in, and shows everybody else a site. */
export class MtprotoInbound extends ClientInbound {
  override readonly protocol = "mtproto";
  readonly #users: Users;
  readonly #sites: Sites;
  /** Seconds. */
  readonly #maxTimeDiff: number;
  readonly #fronting: Fronting;

  constructor(context: InboundContext, settings: MtprotoInboundSettings) {
    super(context);
    this.#users = new Users(settings.users);
    this.#sites = new Sites(settings);
    this.#maxTimeDiff = settings.maxTimeDiff / 1000;
    this.#fronting = new Fronting(context);
  }

  /** The story of one connection. */
  protected override async meet(accepted: Accepted, decided: () => void): Promise<Carried | void> {
    const { stream } = accepted;
    const arrived = this.context.clock.now();
    const first = new FirstBytes(stream);
    const verdict = await this.#decide(first, accepted, arrived);
    if (verdict.kind === "header") {
      decided();
      return await this.#serve(accepted, verdict.user, verdict.header, stream, first.after(verdict.used));
    }
    if (verdict.kind === "hello") return await this.#answer(accepted, verdict, first, decided);
    if (verdict.kind === "gone") return stream.close();
    if (verdict.kind === "stranger" && this.#sites.any) {
      return await this.#showSite(accepted, verdict, first.bytes, decided);
    }
    // No site to show. What is wrong and what is slow look the same from outside: silence, then an end.
    const deadline = arrived + this.context.policy(0).handshake;
    if (verdict.kind === "stranger") {
      const replay = verdict.reason === "replay";
      this.#refuse(accepted, replay ? "replay" : "no-user", replay ? verdict.detail : "no user of this port");
      first.forget();
      await discard(stream, deadline, DISCARDED);
    } else {
      this.#refuse(accepted, "handshake-timeout", "no whole header in time");
    }
    stream.close();
  }

  async #decide(first: FirstBytes, { remote }: Accepted, arrived: number): Promise<Decided> {
    const { clock, crypto, digests, lastSeen, policy, warnings } = this.context;
    const deadline = arrived + (this.#sites.any ? UNDECIDED : policy(0).handshake);
    for (;;) {
      const verdict = judge(first.bytes, this.#users, this.#sites.any, {
        crypto,
        time: warnings.beforeRelease() ? undefined : Math.floor(clock.wall() / 1000),
        maxTimeDiff: this.#maxTimeDiff,
        lastSeen: lastSeen.get(this.tag, remote.host),
        known: (digest) => digests.has(digest),
        remember: (digest) => digests.add(digest),
      });
      if (verdict.kind !== "more") return verdict;
      const more = await first.more(deadline);
      if (more === true) continue;
      // An end before the first byte is no question that a site would have to answer.
      if (more === false && first.bytes.length === 0) return { kind: "gone" };
      if (!this.#sites.any) return more === timedOut ? { kind: "undecided" } : { kind: "gone" };
      const detail = more === timedOut ? "undecided for 10 s" : "it finished before it was clear what it is";
      return { kind: "stranger", reason: "silent", serverName: verdict.serverName, detail };
    }
  }

  /** Somebody with an ee secret. From here on it is spoken to, so it can no longer be shown the site. */
  async #answer(
    accepted: Accepted,
    { user, hello, suite, used }: Extract<Verdict, { kind: "hello" }>,
    first: FirstBytes,
    decided: () => void,
  ): Promise<Carried | void> {
    const { stream } = accepted;
    const { random, clock, policy } = this.context;
    const { key, domain } = user.secret;
    const deadline = clock.now() + policy(user.level).handshake;
    const answer = serverHello({
      secret: key,
      clientRandom: hello.random,
      sessionId: hello.sessionId,
      suite,
      publicKey: await x25519PublicKey(),
      flight: random(flightLength(key, domain, random)),
    });
    await stream.write(answer);
    const records = new RecordStream(stream, first.after(used));
    const inner = new FirstBytes(records);
    const opened = await this.#awaitHeader(inner, user, deadline);
    if (typeof opened === "string") {
      this.#refuse(
        accepted,
        opened === "used before" ? "replay" : "bad-header",
        `the header: ${opened}`,
        user,
      );
      await discard(stream, deadline, DISCARDED);
      return stream.close();
    }
    decided();
    return await this.#serve(accepted, user, opened, records, inner.after(HEADER_LENGTH));
  }

  /** @returns what is wrong with it, or the header */
  async #awaitHeader(inner: FirstBytes, user: KnownUser, deadline: number): Promise<OpenedHeader | string> {
    try {
      while (inner.bytes.length < HEADER_LENGTH) {
        if (await inner.more(deadline) !== true) return "did not come";
      }
    } catch (error) {
      if (codeOf(error) !== "protocol") throw error;
      return describe(error);
    }
    const header = openHeader(inner.bytes, user.secret.key, this.context.crypto);
    if (header === null) return "does not open";
    if (this.context.digests.add(headerDigest(inner.bytes))) return header;
    header.reading.close();
    return "used before";
  }

  /** A client whose secret is good: to the data centre it asks for. */
  async #serve(
    accepted: Accepted,
    user: KnownUser,
    header: OpenedHeader,
    stream: ByteStream,
    rest: Uint8Array,
  ): Promise<Carried | void> {
    const { crypto, lastSeen } = this.context;
    const { remote, local } = accepted;
    lastSeen.set(this.tag, remote.host, user.id);
    const client = { source: remote, local, user: { email: user.email, level: user.level } };
    const session = this.sessions.begin(client, {
      network: "tcp",
      target: ruleTargetOf(header.dc),
      mtproto: { tag: header.tag, dc: header.dc, offer: header.downlink },
    });
    const connected = await this.sessions.connect(session);
    if ("error" in connected) {
      header.reading.close();
      return accepted.stream.close();
    }
    const writing = connected.adopted ? null : crypto.aes256Ctr(header.downlink.key, header.downlink.iv);
    // It lives as long as the session, and nobody asks for the key again.
    session.mtproto!.offer = undefined;
    return this.sessions.relay(session, {
      accepted: accepted.stream,
      client: cipherStream(stream, { reading: header.reading, writing, first: rest }),
      connected,
    });
  }

  async #showSite(
    accepted: Accepted,
    { reason, detail, serverName, clockDiffers }: Extract<Verdict, { kind: "stranger" }>,
    bytes: Uint8Array,
    decided: () => void,
  ): Promise<void> {
    const { events, warnings } = this.context;
    if (clockDiffers !== undefined) {
      const source = textOf(accepted.remote);
      events.emit({ kind: "clock-differs", inboundTag: this.tag, source, seconds: clockDiffers });
      warnings.differs(accepted.remote.host, clockDiffers);
    }
    const stranger = { accepted, bytes, site: this.#sites.for(serverName), reason, detail };
    await this.#fronting.front(stranger, this.sessions.stopping, (relay) => {
      // Only now: strangers who cannot be shown the site are as many as handshakes may be, and no more.
      decided();
      this.sessions.movedBy(accepted.stream, relay);
    });
  }

  #refuse({ remote }: Accepted, reason: RefusalReason, detail: string, user?: KnownUser): void {
    this.sessions.refuse(remote, reason, detail, user);
  }
}
