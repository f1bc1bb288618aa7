import { MtrayError } from "../../errors.ts";
import type { Session } from "../../session.ts";
import { type Greeted, throughServer, Turns } from "../through_server.ts";
import type { Connected, ConnectedPackets, Outbound, OutboundContext } from "../types.ts";
import { AssociatedPackets, relayAddress } from "./associated_packets.ts";
import type { SocksOutboundSettings } from "./settings.ts";
import {
  COMMAND,
  greeting,
  login,
  LONGEST,
  METHOD,
  parseChoice,
  parseLoginAnswer,
  parseReply,
  REPLY,
  request,
} from "./wire.ts";

const NOWHERE = { host: "0.0.0.0", port: 0 };

/** Goes through servers of SOCKS 5. Names stay names: the server resolves them. */
export class SocksOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "socks";
  readonly encrypts: boolean;
  readonly #context: OutboundContext;
  readonly #turns: Turns;

  constructor(context: OutboundContext, settings: SocksOutboundSettings) {
    this.tag = context.tag;
    this.encrypts = context.encrypts;
    this.#context = context;
    this.#turns = new Turns(settings.servers);
  }

  connect(session: Session, signal: AbortSignal): Promise<Connected> {
    return this.#ask(session, signal, async (greeted) => {
      await demand(greeted, request(COMMAND.connect, session.target));
      return { stream: greeted.reader.remaining(), adopted: false, via: this.#via };
    });
  }

  /** The server is asked by a connection of its own, and the datagrams go to where it says. */
  openPackets(session: Session, signal: AbortSignal): Promise<ConnectedPackets> {
    return this.#ask(session, signal, async (greeted) => {
      const { bound } = await demand(greeted, request(COMMAND.associate, NOWHERE));
      const relay = relayAddress(bound, greeted.turn.address);
      const packets = await this.#context.dialPackets(relay, signal);
      return { packets: new AssociatedPackets(greeted.reader.remaining(), packets, relay), via: this.#via };
    });
  }

  get #via(): string[] {
    return [...this.#context.below, this.tag];
  }

  #ask<T>(session: Session, signal: AbortSignal, ask: (greeted: Greeted) => Promise<T>): Promise<T> {
    return throughServer(
      { context: this.#context, turns: this.#turns, longest: LONGEST },
      session,
      signal,
      ask,
    );
  }
}

/** The handshake up to the server's answer. Rejects with `refused` and the server's reason in words. */
async function demand({ stream, reader, turn: { account } }: Greeted, request: Uint8Array) {
  const methods = account === undefined ? [METHOD.none] : [METHOD.none, METHOD.password];
  await stream.write(greeting(methods));
  const { method } = await reader.read(parseChoice);
  if (method === METHOD.password && account !== undefined) {
    await stream.write(login(account.user, account.pass));
    const { accepted } = await reader.read(parseLoginAnswer);
    if (!accepted) throw new MtrayError("refused", "the server does not take the user and password");
  } else if (method !== METHOD.none) {
    throw new MtrayError(
      "refused",
      account === undefined ? "the server asks for a user and password" : "the server takes no password",
    );
  }
  await stream.write(request);
  const answer = await reader.read(parseReply);
  if (answer.code === REPLY.granted) return answer;
  throw new MtrayError("refused", `the server says: ${WORDS[answer.code] ?? `code ${answer.code}`}`);
}

/** RFC 1928, section 6. */
const WORDS: Partial<Record<number, string>> = {
  1: "general failure",
  2: "not allowed by its rules",
  3: "network unreachable",
  4: "host unreachable",
  5: "connection refused",
  6: "timed out",
  7: "it does not know this command",
  8: "it does not know this kind of address",
};
