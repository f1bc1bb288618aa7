/**
 * A data centre that speaks MTProto to real clients: the key exchange, then encrypted sessions, with calls answered
 * by rpc.ts. One server may stand behind many connections, and a key made on one of them is good on all.
 */
import { AuthExchange, type AuthKey, RsaKey } from "./auth_server.ts";
import { concat, hex } from "./bytes.ts";
import type { Connection } from "./data_centre.ts";
import { encodePacket, encodeQuickAck, encodeTransportError, withoutPadding } from "./framing.ts";
import { type Envelope, openMessage, quickAckToken, sealMessage } from "./message_crypto.ts";
import { RpcServer, unpacked } from "./rpc.ts";
import { readVector, tl, TlReader } from "./tl.ts";

const ID = {
  container: 0x73f1f8dc,
  acks: 0x62d6b459,
  ping: 0x7abe77ec,
  pingDelayDisconnect: 0xf3427b8c,
  pong: 0x347773c5,
  newSession: 0x9ec20908,
  badServerSalt: 0xedab447b,
  rpcResult: 0xf35c6d01,
  getFutureSalts: 0xb921bd04,
  futureSalts: 0xae500895,
  destroySession: 0xe7512126,
  destroySessionOk: 0xe22045fc,
  stateRequest: 0xda69fb52,
  stateInfo: 0x04deb57d,
  dropAnswer: 0x58e4a740,
  answerUnknown: 0x5e2ad36e,
  httpWait: 0x9299359f,
} as const;

/** Everything above is a service message; whatever is not is a call. */
const SERVICE: ReadonlySet<number> = new Set(Object.values(ID));

const UNKNOWN_KEY = -404;

interface Message {
  id: bigint;
  sequence: number;
  body: Uint8Array;
}

interface Reply {
  body: Uint8Array;
  /** The client must acknowledge it. */
  content: boolean;
}

export class MtprotoServer {
  readonly rpc = new RpcServer();
  /** How many exchanges ended with a key. */
  keysMade = 0;
  readonly #keys = new Map<string, AuthKey>();

  constructor(readonly rsa: RsaKey = RsaKey.generate()) {}

  /** The behaviour of a DataCentre. */
  readonly serve = async (connection: Connection): Promise<void> => {
    const exchange = new AuthExchange(this.rsa, (key) => {
      this.keysMade++;
      this.#keys.set(hex(key.id), key);
    });
    const session = new ServerSession(this.rpc);
    for await (const { data, wantsQuickAck } of connection.packets()) {
      await this.#answer(connection, { data, wantsQuickAck, exchange, session });
    }
  };

  async #answer(
    connection: Connection,
    { data, wantsQuickAck, exchange, session }: {
      data: Uint8Array;
      wantsQuickAck: boolean;
      exchange: AuthExchange;
      session: ServerSession;
    },
  ): Promise<void> {
    const { tag } = connection;
    const keyId = data.subarray(0, 8);
    if (keyId.every((byte) => byte === 0)) {
      const reader = new TlReader(withoutPadding(tag, data).subarray(16));
      const answer = exchange.answer(reader.raw(reader.uint()));
      const head = [new Uint8Array(8), tl.long(session.nextMessageId(true)), tl.uint(answer.length)];
      return await connection.write(encodePacket(tag, concat(...head, answer)));
    }
    const key = this.#keys.get(hex(keyId));
    if (!key) return await connection.write(encodeTransportError(tag, UNKNOWN_KEY));
    if (wantsQuickAck) await connection.write(encodeQuickAck(tag, quickAckToken(data, key)));
    for (const envelope of session.answer(openMessage(data, key), key)) {
      await connection.write(encodePacket(tag, sealMessage(envelope, key)));
    }
  }
}

/** The server's end of one connection's sessions. */
class ServerSession {
  readonly #known = new Set<bigint>();
  #lastId = 0n;
  #sequence = 0;

  constructor(readonly rpc: RpcServer) {}

  /** Time-based, growing, 1 modulo 4 for an answer and 3 for what the server says of its own accord. */
  nextMessageId(answers: boolean): bigint {
    const now = BigInt(Date.now()) * (1n << 32n) / 1000n & ~3n;
    const next = now > this.#lastId ? now : (this.#lastId & ~3n) + 4n;
    return this.#lastId = next + (answers ? 1n : 3n);
  }

  /** What goes back for one packet: everything small in one container, as the real server does it. */
  answer(envelope: Envelope, key: AuthKey): Envelope[] {
    const { session, messageId, sequence, salt, body } = envelope;
    const seal = (id: bigint, order: number, content: Uint8Array): Envelope => {
      return { salt: key.salt, session, messageId: id, sequence: order, body: content };
    };
    if (salt !== key.salt) {
      const fields = [tl.long(messageId), tl.uint(sequence), tl.uint(48), tl.long(key.salt)];
      return [seal(this.nextMessageId(true), this.#next(false), tl.object(ID.badServerSalt, ...fields))];
    }
    const messages = this.#messages({ id: messageId, sequence, body });
    const replies: Reply[] = [...this.#greet(session, messages[0].id, key), ...this.#acknowledge(messages)];
    for (const message of messages) replies.push(...this.#reply(message, key));
    if (replies.length === 0) return [];
    const numbered = replies.map((reply) => ({
      id: this.nextMessageId(true),
      sequence: this.#next(reply.content),
      body: reply.body,
    }));
    if (numbered.length === 1) return [seal(numbered[0].id, numbered[0].sequence, numbered[0].body)];
    const items = numbered.map((m) =>
      concat(tl.long(m.id), tl.uint(m.sequence), tl.uint(m.body.length), m.body)
    );
    const container = tl.object(ID.container, tl.uint(items.length), ...items);
    return [seal(this.nextMessageId(true), this.#next(false), container)];
  }

  #next(content: boolean): number {
    const sequence = 2 * this.#sequence + (content ? 1 : 0);
    if (content) this.#sequence++;
    return sequence;
  }

  #messages(message: Message): Message[] {
    const reader = new TlReader(unpacked(message.body));
    if (new TlReader(reader.bytes).uint() !== ID.container) return [{ ...message, body: reader.rest() }];
    reader.uint();
    return Array.from({ length: reader.uint() }, () => {
      const [id, sequence, length] = [reader.long(), reader.uint(), reader.uint()];
      return { id, sequence, body: unpacked(reader.raw(length)) };
    });
  }

  #greet(session: bigint, firstMessage: bigint, key: AuthKey): Reply[] {
    if (this.#known.has(session)) return [];
    this.#known.add(session);
    const fields = [tl.long(firstMessage), tl.long(session ^ firstMessage), tl.long(key.salt)];
    return [{ body: tl.object(ID.newSession, ...fields), content: true }];
  }

  /** Only calls are acknowledged: a service message's answer says as much. */
  #acknowledge(messages: readonly Message[]): Reply[] {
    const ids = messages.filter(({ body }) => !SERVICE.has(new TlReader(body).uint())).map(({ id }) =>
      tl.long(id)
    );
    return ids.length === 0 ? [] : [{ body: tl.object(ID.acks, tl.vector(ids)), content: false }];
  }

  #reply(message: Message, key: AuthKey): Reply[] {
    const reader = new TlReader(message.body);
    const about = tl.long(message.id);
    switch (reader.uint()) {
      case ID.acks:
      case ID.httpWait:
        return [];
      case ID.ping:
      case ID.pingDelayDisconnect:
        return [{ body: tl.object(ID.pong, about, tl.long(reader.long())), content: false }];
      case ID.getFutureSalts: {
        const now = Math.floor(Date.now() / 1000);
        const salts = concat(tl.uint(1), tl.uint(now - 60), tl.uint(now + 86_400), tl.long(key.salt));
        return [{ body: tl.object(ID.futureSalts, about, tl.uint(now), salts), content: false }];
      }
      case ID.destroySession:
        return [{ body: tl.object(ID.destroySessionOk, tl.long(reader.long())), content: false }];
      case ID.stateRequest: {
        // 4: received; the answer is on its way.
        const states = new Uint8Array(readVector(reader, (r) => r.long()).length).fill(4);
        return [{ body: tl.object(ID.stateInfo, about, tl.string(states)), content: false }];
      }
      case ID.dropAnswer:
        return [{ body: tl.object(ID.rpcResult, about, tl.object(ID.answerUnknown)), content: true }];
    }
    return [{ body: tl.object(ID.rpcResult, about, this.rpc.answer(message.body)), content: true }];
  }
}
