import { MtrayError } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import type { Session } from "../../session.ts";
import { type Greeted, throughServer, Turns } from "../through_server.ts";
import type { Connected, Outbound, OutboundContext } from "../types.ts";
import { formatHead, type Header, LONGEST_HEAD, parseHead } from "./head.ts";
import type { HttpOutboundSettings } from "./settings.ts";

/** Goes through HTTP proxies by CONNECT. Names stay names: the server resolves them. */
export class HttpOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "http";
  readonly encrypts: boolean;
  readonly #context: OutboundContext;
  readonly #turns: Turns;
  readonly #headers: Header[];

  constructor(context: OutboundContext, settings: HttpOutboundSettings) {
    this.tag = context.tag;
    this.encrypts = context.encrypts;
    this.#context = context;
    this.#turns = new Turns(settings.servers);
    this.#headers = settings.headers;
  }

  connect(session: Session, signal: AbortSignal): Promise<Connected> {
    const means = { context: this.#context, turns: this.#turns, longest: LONGEST_HEAD };
    return throughServer(means, session, signal, async (greeted) => {
      await this.#demand(greeted, textOf(session.target));
      return {
        stream: greeted.reader.remaining(),
        adopted: false,
        via: [...this.#context.below, this.tag],
      };
    });
  }

  /** Rejects with `refused` and the server's reason in words. */
  async #demand({ stream, reader, turn: { account } }: Greeted, target: string): Promise<void> {
    const headers: Header[] = [["Host", target], ...this.#headers];
    if (account !== undefined) {
      headers.push(["Proxy-Authorization", `Basic ${base64(`${account.user}:${account.pass}`)}`]);
    }
    await stream.write(formatHead(["CONNECT", target, "HTTP/1.1"], headers));
    for (;;) {
      const [version, status, reason] = (await reader.read(parseHead)).first;
      if (!/^HTTP\/1\.[01]$/.test(version)) {
        throw new MtrayError("protocol", "the server's answer is not HTTP/1");
      }
      if (/^2[0-9][0-9]$/.test(status)) return;
      if (/^1[0-9][0-9]$/.test(status)) continue;
      if (status !== "407") {
        throw new MtrayError("refused", `the server says: ${shown(`${status} ${reason}`)}`);
      }
      throw new MtrayError(
        "refused",
        account === undefined
          ? "the server asks for a user and password"
          : "the server does not take the user and password",
      );
    }
  }
}

/** Somebody else's words, fit for a line of a log. */
function shown(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?").trim().slice(0, 100);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
