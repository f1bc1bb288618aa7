import type { ErrorCode } from "../../errors.ts";
import { HandshakeReader } from "../../stream/handshake_reader.ts";
import type { Accepted } from "../../stream/types.ts";
import { ClientInbound } from "../client_inbound.ts";
import { passes } from "../accounts.ts";
import type { Answers, Carried, Client } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import { Associations } from "./associations.ts";
import type { SocksInboundSettings } from "./settings.ts";
import {
  COMMAND,
  LONGEST,
  METHOD,
  parseGreeting,
  parseLogin,
  parseRequest,
  parseRequest4,
  REPLY,
  reply,
  REPLY4,
  reply4,
  type Request,
} from "./wire.ts";

/** A client that is who it must be, and what it asks for. */
interface Asked {
  version: 4 | 5;
  request: Request;
  client: Client;
}

/**
 * Takes clients of SOCKS 5, 4 and 4a in. A client learns what became of its connection, except on an inbound with
 * `sniffing`: there it is told to go on at once, since its first bytes decide about the way out.
 */
export class SocksInbound extends ClientInbound {
  override readonly protocol = "socks";
  readonly #settings: SocksInboundSettings;
  readonly #associations: Associations;

  constructor(context: InboundContext, settings: SocksInboundSettings) {
    super(context);
    this.#settings = settings;
    this.#associations = new Associations(context, this.sessions, settings.ip);
  }

  protected override async meet(accepted: Accepted, decided: () => void): Promise<Carried | void> {
    const { clock, policy } = this.context;
    const { stream } = accepted;
    const reader = new HandshakeReader(stream, {
      deadline: clock.now() + policy(0).handshake,
      most: LONGEST,
    });
    const asked = await this.sessions.handshake(accepted, this.#greet(accepted, reader));
    if (asked === null) return;
    const { version, request: { command, target }, client } = asked;
    const refuse = (code: number, detail: string) => {
      this.sessions.refuse(accepted.remote, "bad-header", detail, client.user);
      return this.sessions.dismiss(stream, version === 5 ? reply(code) : reply4(REPLY4.failure));
    };
    if (version === 5 && command === COMMAND.associate && this.#settings.udp) {
      decided();
      return await this.#associations.serve(accepted, client);
    }
    if (command !== COMMAND.connect) {
      return await refuse(
        REPLY.commandUnknown,
        command === COMMAND.associate ? "UDP is off" : "it asks for no CONNECT",
      );
    }
    if (target === null) return await refuse(REPLY.addressUnknown, "it asks for no address that could be");
    if (target.port === 0) return await refuse(REPLY.failure, "it asks for port 0");
    decided();
    return await this.sessions.serve(this.sessions.begin(client, { network: "tcp", target }), {
      accepted: stream,
      client: reader.remaining(),
      answers: version === 5 ? answers5 : answers4,
    });
  }

  /** @returns null when the client was sent away */
  async #greet(accepted: Accepted, reader: HandshakeReader): Promise<Asked | null> {
    const { version } = await reader.read((bytes) =>
      bytes.length < 1 ? null : { version: bytes[0], used: 0 }
    );
    const { userLevel: level, accounts } = this.#settings;
    const client = { source: accepted.remote, local: accepted.local, user: { email: "", level } };
    if (version !== 4) {
      const user = await this.#authenticate(accepted, reader);
      if (user === null) return null;
      client.user.email = user;
      return { version: 5, request: await reader.read(parseRequest), client };
    }
    const request = await reader.read(parseRequest4);
    if (accounts === null) return { version, request, client };
    await this.#refuse(accepted, "SOCKS 4 has no passwords", reply4(REPLY4.failure));
    return null;
  }

  /** @returns the user, without a name where nobody must have one; null when the client was sent away */
  async #authenticate(accepted: Accepted, reader: HandshakeReader): Promise<string | null> {
    const { accounts } = this.#settings;
    const { methods } = await reader.read(parseGreeting);
    const method = accounts === null ? METHOD.none : METHOD.password;
    if (!methods.includes(method)) {
      const detail = accounts === null
        ? "it insists on a password, and there is none"
        : "it offers no password";
      await this.#refuse(accepted, detail, Uint8Array.of(5, METHOD.unacceptable));
      return null;
    }
    await accepted.stream.write(Uint8Array.of(5, method));
    if (accounts === null) return "";
    const { user, pass } = await reader.read(parseLogin);
    if (!passes(accounts, user, pass)) {
      await this.#refuse(accepted, "wrong user or password", Uint8Array.of(1, 1));
      return null;
    }
    await accepted.stream.write(Uint8Array.of(1, 0));
    return user;
  }

  async #refuse({ stream, remote }: Accepted, detail: string, word: Uint8Array): Promise<void> {
    this.sessions.refuse(remote, "no-user", detail);
    await this.sessions.dismiss(stream, word);
  }
}

const CODES: Partial<Record<ErrorCode, number>> = {
  "blocked": REPLY.notAllowed,
  "unreachable": REPLY.hostUnreachable,
  "refused": REPLY.refused,
  "timed-out": REPLY.expired,
};

const answers5: Answers = {
  granted: reply(REPLY.granted),
  refused: (code) => reply(CODES[code] ?? REPLY.failure),
};

const answers4: Answers = {
  granted: reply4(REPLY4.granted),
  refused: () => reply4(REPLY4.failure),
};
