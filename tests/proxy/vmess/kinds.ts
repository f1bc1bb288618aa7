/** VMess connections as the contract of ByteStream sees them: a client and a server over memory. */
import { cryptoProvider } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { MtrayError } from "../../../lib/errors.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import { type ClientRequest, clientStream } from "../../../lib/proxy/vmess/client_stream.ts";
import type { RequestHeader, Security } from "../../../lib/proxy/vmess/header.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { RequestOpener, sealRequest } from "../../../lib/proxy/vmess/request.ts";
import { serverStream } from "../../../lib/proxy/vmess/server_stream.ts";
import { FirstBytes } from "../../../lib/stream/first_bytes.ts";
import { memoryPair } from "../../../lib/stream/pair.ts";
import { type ByteStream, ROOM, type timedOut } from "../../../lib/stream/types.ts";
import type { Kind } from "../../contract/streams.ts";

export const crypto = cryptoProvider();
const account = new Account(parseId("somebody"));

/** A request with keys of its own. */
export function someRequest(about: Partial<RequestHeader> = {}): RequestHeader {
  return {
    iv: randomBytes(16),
    key: randomBytes(16),
    check: randomBytes(1)[0],
    options: 0x0d,
    security: "aes-128-gcm",
    command: "tcp",
    target: { host: "example.com", port: 443 },
    ...about,
  };
}

/** What a client stream is made from. */
export function clientRequest(header: RequestHeader, about: Partial<ClientRequest> = {}): ClientRequest {
  return {
    header,
    wire: sealRequest(header, { account, seconds: 1, random: randomBytes, crypto }),
    crypto,
    random: randomBytes,
    terminates: true,
    unanswered: () => new MtrayError("refused", "no answer at all"),
    ...about,
  };
}

/** Reads the header that a client sent, as an inbound does. Rejects when it is not whole after all bytes. */
export async function acceptHeader(stream: ByteStream): Promise<{ header: RequestHeader; rest: Uint8Array }> {
  const first = new FirstBytes(stream);
  const opener = new RequestOpener(account, crypto);
  for (;;) {
    const opening = opener.open(first.bytes);
    if (opening.kind === "wrong") throw new Error(`the header ${opening.why}`);
    if (opening.kind === "header") return { header: opening.header, rest: first.after(opening.used) };
    if (await first.more(performance.now() + 10_000) !== true) throw new Error("no header came");
  }
}

/** A client's end of a connection, and the server's. */
export async function connected(
  header: RequestHeader,
  about?: Partial<ClientRequest>,
): Promise<{ client: ByteStream; server: ByteStream }> {
  const [near, far] = memoryPair(1 << 20);
  const client = clientStream(near, clientRequest(header, about));
  // The header goes alone when somebody listens for long enough, or with the first bytes.
  void client.readyBefore(performance.now());
  const { header: read, rest } = await acceptHeader(far);
  return { client, server: serverStream(far, read, rest, { crypto, random: randomBytes }) };
}

/** A header or an end makes a stream ready without any bytes. The contract allows it; its tests do not expect it. */
function patient(stream: ByteStream): ByteStream {
  let taken: Uint8Array | null = null;
  const after = (more: boolean | typeof timedOut) => {
    if (more !== true) return true;
    taken = stream.take(ROOM);
    return taken.length > 0;
  };
  return {
    halfCloses: stream.halfCloses,
    async ready() {
      for (;;) {
        const more = await stream.ready();
        if (after(more)) return more;
      }
    },
    async readyBefore(deadline) {
      for (;;) {
        const more = await stream.readyBefore(deadline);
        if (after(more)) return more;
      }
    },
    take: () => taken!,
    write: (a, b) => stream.write(a, b),
    closeWrite: () => stream.closeWrite(),
    close: (reason) => stream.close(reason),
  };
}

const COMBINATIONS: [string, Security, number][] = [
  ["aes-128-gcm", "aes-128-gcm", 0x0d],
  ["aes-128-gcm with sealed lengths", "aes-128-gcm", 0x1d],
  ["chacha20-poly1305 without options", "chacha20-poly1305", 0],
  ["none", "none", 0x05],
  ["zero", "none", 0],
];

/** `a` is the client's end. */
export const vmessClients: Kind[] = COMBINATIONS.map(([name, security, options]) => ({
  name: `vmess client, ${name}`,
  async open() {
    const { client, server } = await connected(someRequest({ security, options }), {
      // The contract knows no servers that refuse: here an abort is an abort, answered or not.
      unanswered: () => new MtrayError("reset", "the peer aborted the connection"),
    });
    return {
      a: patient(client),
      b: patient(server),
      end: () => {
        client.close();
        server.close();
      },
    };
  },
}));

/** `a` is the server's end. */
export const vmessServers: Kind[] = vmessClients.map((kind) => ({
  name: kind.name.replace("client", "server"),
  async open() {
    const { a, b, end } = await kind.open();
    return { a: b, b: a, end };
  },
}));
