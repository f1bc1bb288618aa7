/** Sockets that can send a reset, which Deno's own cannot. Otherwise the same as those of socket.ts. */
import { connect, createServer, type Socket as NodeSocket } from "node:net";
import { PeerReset, type RawSocket, SocketClosed } from "./raw_socket.ts";

export async function nodeConnect(port: number, hostname: string): Promise<RawSocket> {
  const socket = connect({ port, host: hostname, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new ResettableSocket(socket);
}

export async function nodeListen(
  handle: (socket: RawSocket) => void,
  options: { hostname: string; port?: number },
): Promise<{ port: number; close(): void }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    handle(new ResettableSocket(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.hostname, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("cannot listen: no port was given");
  return { port: address.port, close: () => void server.close() };
}

/** Queues what comes, pausing the socket while anything is queued. */
class ResettableSocket implements RawSocket {
  readonly localPort: number;
  readonly remotePort: number;
  readonly #queue: Uint8Array[] = [];
  #ended = false;
  #closed = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(readonly socket: NodeSocket) {
    this.localPort = socket.localPort ?? 0;
    this.remotePort = socket.remotePort ?? 0;
    socket.on("data", (bytes: Uint8Array) => {
      this.#queue.push(new Uint8Array(bytes));
      socket.pause();
      this.#wake?.();
    });
    const finish = (error: Error | null) => {
      this.#ended = true;
      this.#error ??= error;
      this.#wake?.();
    };
    socket.on("end", () => finish(null));
    socket.on("close", () => finish(null));
    socket.on("error", (error: Error & { code?: string }) => {
      const reset = error.code === "ECONNRESET" || error.code === "EPIPE";
      finish(reset ? new PeerReset("the other side reset the connection", { cause: error }) : error);
    });
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#queue.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#ended) return null;
      this.socket.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
    return this.#queue.shift() ?? null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new SocketClosed("cannot write: the socket was closed");
    await new Promise<void>((resolve, reject) => {
      this.socket.write(bytes, (error) => error ? reject(this.#error ?? error) : resolve());
    });
  }

  async closeWrite(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.end(resolve));
  }

  close(): void {
    this.#closed = true;
    this.socket.destroy();
  }

  reset(): void {
    this.#closed = true;
    this.socket.resetAndDestroy();
  }
}
