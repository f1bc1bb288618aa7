import { codeOf, describe, MtrayError } from "../errors.ts";
import { textOf } from "../runtime/address.ts";
import type { Session } from "../session.ts";
import { HandshakeReader } from "../stream/handshake_reader.ts";
import type { ByteStream, Target } from "../stream/types.ts";
import type { Account, Server } from "./server_settings.ts";
import type { OutboundContext } from "./types.ts";

/** How long a server may take to say what became of a request, in milliseconds: it connects to the target first. */
const ANSWER = 30_000;

/** One server's turn, and whom to be there. */
export interface Turn {
  address: Target;
  /** Absent: nobody in particular. */
  account?: Account;
}

/** The servers of an outbound, and the users that each of them knows, in turns. */
export class Turns {
  readonly #servers: readonly Server[];
  #taken = 0;

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /** All servers in the order in which a connection tries them; the next connection begins with another. */
  next(): Turn[] {
    const turn = this.#taken++;
    const count = this.#servers.length;
    return this.#servers.map((_, index) => {
      const { address, users } = this.#servers[(turn + index) % count];
      const account = users[Math.floor(turn / count) % Math.max(1, users.length)];
      return { address, ...(account !== undefined && { account }) };
    });
  }
}

/** A connection to a server that has its handshake before it. */
export interface Greeted {
  stream: ByteStream;
  reader: HandshakeReader;
  turn: Turn;
}

/**
 * Connects to a server, to the next one where one cannot be reached, and asks it for something.
 *
 * @param ask speaks the handshake; it rejects when the server refuses, and then no other one is asked
 * @param longest bytes that one message of the server may have
 */
export async function throughServer<T>(
  { context, turns, longest }: { context: OutboundContext; turns: Turns; longest: number },
  { alone }: Session,
  signal: AbortSignal,
  ask: (greeted: Greeted) => Promise<T>,
): Promise<T> {
  const order = turns.next();
  for (const [index, turn] of order.entries()) {
    let stream: ByteStream;
    try {
      stream = await context.dial(turn.address, { alone }, signal);
    } catch (error) {
      if (signal.aborted || index === order.length - 1) throw error;
      continue;
    }
    const abort = () => stream.close(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      const reader = new HandshakeReader(stream, { deadline: context.clock.now() + ANSWER, most: longest });
      return await ask({ stream, reader, turn });
    } catch (error) {
      stream.close();
      throw failed(turn, signal.aborted ? signal.reason : error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
  throw new MtrayError("unreachable", "cannot connect: there is no server");
}

function failed({ address }: Turn, error: unknown): MtrayError {
  const code = codeOf(error);
  if (code === "stopped") return error as MtrayError;
  // It took the connection, so this is what it says to the request.
  const refused = code === "closed" || code === "reset";
  return new MtrayError(
    refused ? "refused" : code,
    `cannot connect through ${textOf(address)}: ${describe(error)}`,
    { cause: error },
  );
}
