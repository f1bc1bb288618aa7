import { codeOf, MtrayError } from "../../errors.ts";
import { HandshakeReader } from "../../stream/handshake_reader.ts";
import type { Accepted } from "../../stream/types.ts";
import { ClientInbound } from "../client_inbound.ts";
import { passes } from "../accounts.ts";
import { requestedName } from "../requested_host.ts";
import type { Answers, Carried, Client } from "../sessions.ts";
import type { InboundContext } from "../types.ts";
import { Exchange } from "./exchange.ts";
import {
  type BodyLength,
  bodyLengthOf,
  formatHead,
  type Head,
  LONGEST_HEAD,
  parseHead,
  valuesOf,
  withoutHops,
} from "./head.ts";
import { established, response, responseTo } from "./responses.ts";
import type { HttpInboundSettings } from "./settings.ts";
import { type Asked, parseAbsolute, parseAuthority } from "./target.ts";

/**
 * Takes clients of an HTTP proxy in: tunnels by CONNECT, and plain requests, of which each connection serves one.
 * A client learns what became of its connection, except of a tunnel on an inbound with `sniffing`: there it is told
 * to go on at once, since its first bytes decide about the way out.
 */
export class HttpInbound extends ClientInbound {
  override readonly protocol = "http";
  readonly #settings: HttpInboundSettings;

  constructor(context: InboundContext, settings: HttpInboundSettings) {
    super(context);
    this.#settings = settings;
  }

  protected override async meet(accepted: Accepted, decided: () => void): Promise<Carried | void> {
    const { clock, policy } = this.context;
    const reader = new HandshakeReader(accepted.stream, {
      deadline: clock.now() + policy(0).handshake,
      most: LONGEST_HEAD,
    });
    const lastWord = (code: string) => response(code === "timed-out" ? 408 : 400);
    const request = await this.sessions.handshake(accepted, readRequest(reader), lastWord);
    if (request === null) return;
    const { head, body } = request;
    const [method, uri] = head.first;
    const user = this.#userOf(head);
    if (user === null) {
      this.sessions.refuse(accepted.remote, "no-user", "no user with a right password");
      return await this.sessions.dismiss(accepted.stream, response(407));
    }
    const client: Client = {
      source: accepted.remote,
      local: accepted.local,
      user: { email: user, level: this.#settings.userLevel },
    };
    if (method === "CONNECT") {
      const target = parseAuthority(uri);
      if (target === null) return await this.#refuse(accepted);
      decided();
      return await this.sessions.serve(this.sessions.begin(client, { network: "tcp", target }), {
        accepted: accepted.stream,
        client: reader.remaining(),
        answers: tunnel,
        ...this.#limits(),
      });
    }
    const asked = parseAbsolute(uri) ?? this.#transparent(head);
    if (asked === null) return await this.#refuse(accepted);
    decided();
    return await this.#pass(accepted, client, asked, {
      head,
      exchange: new Exchange(reader.remaining(), { body, noResponse: response(502) }),
    });
  }

  /** One request and its response. */
  async #pass(
    { stream }: Accepted,
    client: Client,
    { target, authority, path }: Asked,
    { head, exchange }: { head: Head; exchange: Exchange },
  ): Promise<Carried | void> {
    const session = this.sessions.begin(client, { network: "tcp", target });
    const domain = requestedName(target.host) ?? undefined;
    this.sessions.sniffer?.apply(session, { protocol: "http", domain });
    const connected = await this.sessions.connect(session);
    if ("error" in connected) {
      return await this.sessions.dismiss(stream, responseTo(codeOf(connected.error)));
    }
    const headers = withoutHops(head.headers).filter(([name]) => name.toLowerCase() !== "host");
    return this.sessions.relay(session, {
      accepted: stream,
      client: exchange,
      connected,
      first: formatHead([head.first[0], path, head.first[2]], [
        ["Host", authority],
        ...headers,
        ["Connection", "close"],
      ]),
      ...this.#limits(),
    });
  }

  /** A request that says in its Host header alone where it goes. */
  #transparent(head: Head): Asked | null {
    const [, path] = head.first;
    const [authority] = valuesOf(head.headers, "host");
    if (!this.#settings.allowTransparent || !path.startsWith("/") || authority === undefined) return null;
    const target = parseAuthority(authority, 80);
    return target && { target, authority, path };
  }

  /** Empty where nobody must have a name; null: this one must not pass. */
  #userOf({ headers }: Head): string | null {
    const { accounts } = this.#settings;
    if (accounts === null) return "";
    const given = /^basic +([A-Za-z0-9+/=]+)$/i.exec(valuesOf(headers, "proxy-authorization")[0] ?? "");
    const [, user, pass] = /^([^:]*):(.*)$/s.exec(given === null ? "" : textOfBase64(given[1])) ?? [];
    return user !== undefined && passes(accounts, user, pass) ? user : null;
  }

  #limits() {
    const { timeout, userLevel } = this.#settings;
    if (timeout === undefined) return {};
    return { limits: { ...this.context.policy(userLevel), connIdle: timeout } };
  }

  async #refuse({ stream, remote }: Accepted): Promise<void> {
    this.sessions.refuse(remote, "bad-header", "it asks for no target that could be");
    await this.sessions.dismiss(stream, response(400));
  }
}

const tunnel: Answers = { granted: established(), refused: responseTo };

async function readRequest(reader: HandshakeReader): Promise<{ head: Head; body: BodyLength }> {
  const head = await reader.read(parseHead);
  if (!/^HTTP\/1\.[01]$/.test(head.first[2])) {
    throw new MtrayError("protocol", "cannot read the request: it is not HTTP/1");
  }
  // Of a tunnel nothing is a body.
  return { head, body: head.first[0] === "CONNECT" ? 0 : bodyLengthOf(head.headers) };
}

function textOfBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  } catch {
    return "";
  }
}
