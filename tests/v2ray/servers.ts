/** What stands behind the programs, on loopback. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { concat } from "../telegram/bytes.ts";
import { pattern } from "../telegram/pattern.ts";
import {
  listenSockets,
  PeerReset,
  type Socket,
  SocketClosed,
  type SocketListener,
  within,
} from "../telegram/socket.ts";

/** What a server does with a connection. Closing is not its job. */
export type Serve = (socket: Socket) => Promise<void>;

/** A TCP server. What its connections go wrong with is thrown when it is closed. */
export class Server {
  /** How many connections came. */
  accepted = 0;
  readonly #open = new Map<Socket, Promise<void>>();
  readonly #failures: unknown[] = [];
  #listener: SocketListener | null = null;

  static async start(serve: Serve, port = 0): Promise<Server> {
    const server = new Server();
    server.#listener = await listenSockets((socket) => {
      server.accepted++;
      const serving = serve(socket).catch((error) => {
        if (!(error instanceof PeerReset || error instanceof SocketClosed)) server.#failures.push(error);
      }).finally(() => {
        socket.close();
        server.#open.delete(socket);
      });
      server.#open.set(socket, serving);
    }, { port, patience: Infinity });
    return server;
  }

  get port(): number {
    return this.#listener!.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    const open = [...this.#open];
    for (const [socket] of open) socket.close();
    await within(10_000, "stop a server", Promise.all(open.map(([, serving]) => serving)));
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

/** Sends back what comes, and finishes when the other side has. */
export const echo: Serve = async (socket) => {
  for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) {
    await socket.write(bytes);
  }
  await socket.closeWrite();
};

/** Reads to the other side's end, hands over what came, and only then answers with so many bytes of the pattern. */
export function answerAfterEnd(answer: number, received: (bytes: Uint8Array) => void): Serve {
  return async (socket) => {
    const parts: Uint8Array[] = [];
    for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) parts.push(bytes);
    received(concat(...parts));
    await say(socket, answer);
    await socket.closeWrite();
  };
}

/** Once a byte has come, sends so many bytes of the pattern, all but the first of them when it is told to go on. */
export function download(length: number, goOn: Promise<void>): Serve {
  return async (socket) => {
    if (await socket.read() === null) throw new Error("cannot send a download: nobody asked for it");
    await socket.write(pattern(0, 1));
    await goOn;
    await say(socket, length, 1);
    await socket.closeWrite();
    while (await socket.read() !== null);
  };
}

async function say(socket: Socket, length: number, from = 0): Promise<void> {
  const chunk = 64 * 1024;
  for (let sent = from; sent < length; sent += chunk) {
    await socket.write(pattern(sent, Math.min(chunk, length - sent)));
  }
}

/** Sends every datagram back to where it came from. */
export class DatagramEcho {
  private constructor(readonly port: number, readonly socket: DatagramSocket) {}

  static async start(port: number): Promise<DatagramEcho> {
    const socket = createSocket("udp4");
    socket.on("message", (data, from) => socket.send(data, from.port, from.address));
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, "127.0.0.1", resolve);
    });
    return new DatagramEcho(socket.address().port, socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}
