/** What passes through the two peers: a target that answers, and an application that speaks SOCKS5 to the client. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Exchange, payloadBytes } from "./recording.ts";

/** Who closes a TCP session first, once everything has passed. */
export type Ending = "application" | "target";

/** A server on loopback (IPv4 and IPv6) that answers the exchanges in their order. */
export class Target {
  readonly port: number;
  readonly secondPort: number;
  readonly #listeners: Deno.TcpListener[];
  readonly #sockets: Socket[];
  #next = 0;

  private constructor(
    listeners: Deno.TcpListener[],
    sockets: Socket[],
    readonly exchanges: Exchange[],
    readonly ending: Ending,
  ) {
    this.#listeners = listeners;
    this.#sockets = sockets;
    this.port = (listeners[0].addr as Deno.NetAddr).port;
    this.secondPort = sockets[1].address().port;
    for (const listener of listeners) this.#accept(listener);
    for (const socket of sockets) {
      socket.on("message", (_, from) => {
        const { down } = this.exchanges[this.#next++];
        socket.send(payloadBytes(down), from.port, from.address);
      });
    }
  }

  /** `exchanges` may be filled in later: their ports are this target's. */
  static async open(exchanges: Exchange[], ending: Ending): Promise<Target> {
    const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = first.addr as Deno.NetAddr;
    const sockets = [await bound(port), await bound(0)];
    return new Target([first, Deno.listen({ hostname: "::1", port })], sockets, exchanges, ending);
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    for (const socket of this.#sockets) socket.close();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const connection of listener) this.#answer(connection);
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const { up, down } = this.exchanges[this.#next++];
    await readExactly(connection, up.length);
    await writeAll(connection, payloadBytes(down));
    if (this.ending === "application") { while (await connection.read(new Uint8Array(64)) !== null); }
    connection.close();
  }
}

/**
 * Carries out the exchanges one after another through the SOCKS5 server on `socksPort`. TCP sessions stay open
 * until all are done. Throws if an answer is not the one that the exchange names.
 */
export async function carryOut(exchanges: Exchange[], socksPort: number, ending: Ending): Promise<void> {
  const open: Deno.TcpConn[] = [];
  const udp = exchanges.some(({ network }) => network === "udp")
    ? await Association.open(socksPort)
    : undefined;
  for (const exchange of exchanges) {
    const answer = exchange.network === "udp" ? await udp!.exchange(exchange) : await tcp(exchange);
    if (payloadBytes(exchange.down).some((byte, i) => byte !== answer[i])) {
      throw new Error("cannot accept the answer: it differs from what the target sent");
    }
  }
  for (const connection of open) {
    if (ending === "target") { while (await connection.read(new Uint8Array(64)) !== null); }
    connection.close();
  }
  udp?.close();

  async function tcp(exchange: Exchange): Promise<Uint8Array> {
    const connection = await connect(socksPort, 1, exchange);
    open.push(connection);
    await writeAll(connection, payloadBytes(exchange.up));
    return await readExactly(connection, exchange.down.length);
  }
}

/** A SOCKS5 UDP association. */
class Association {
  private constructor(
    readonly control: Deno.TcpConn,
    readonly socket: Socket,
    readonly relayPort: number,
  ) {}

  static async open(socksPort: number): Promise<Association> {
    const socket = await bound(0);
    const control = await Deno.connect({ hostname: "127.0.0.1", port: socksPort });
    await writeAll(control, Uint8Array.of(5, 1, 0));
    await readExactly(control, 2);
    await writeAll(control, Uint8Array.of(5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
    const reply = await readExactly(control, 10);
    return new Association(control, socket, reply[8] << 8 | reply[9]);
  }

  async exchange(exchange: Exchange): Promise<Uint8Array> {
    const packet = Uint8Array.of(0, 0, 0, ...socksAddress(exchange), ...payloadBytes(exchange.up));
    const answered = once(this.socket, "message", { signal: AbortSignal.timeout(5_000) });
    this.socket.send(packet, this.relayPort, "127.0.0.1");
    const [answer] = await answered;
    return new Uint8Array(answer).subarray(10);
  }

  close(): void {
    this.control.close();
    this.socket.close();
  }
}

async function connect(socksPort: number, command: number, exchange: Exchange): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: socksPort });
  await writeAll(connection, Uint8Array.of(5, 1, 0));
  await readExactly(connection, 2);
  await writeAll(connection, Uint8Array.of(5, command, 0, ...socksAddress(exchange)));
  const [, code, , type] = await readExactly(connection, 4);
  if (code !== 0) throw new Error(`cannot connect through the client: SOCKS5 code ${code}`);
  await readExactly(connection, type === 4 ? 18 : 6);
  return connection;
}

function socksAddress({ host, port }: Exchange): number[] {
  const tail = [port >> 8, port & 0xff];
  if (host === "::1") return [4, ...Array(15).fill(0), 1, ...tail];
  if (/^[\d.]+$/.test(host)) return [1, ...host.split(".").map(Number), ...tail];
  return [3, host.length, ...new TextEncoder().encode(host), ...tail];
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function readExactly(connection: Deno.TcpConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await connection.read(bytes.subarray(at));
    if (read === null) throw new Error(`cannot read ${length} bytes: the peer ended after ${at}`);
    at += read;
  }
  return bytes;
}
