/**
 * TCP for the peers: pulled, bounded in time, with both ways a connection can end told apart.
 *
 * Deno's own connections carry the bytes, because they half-close properly. Only a peer that must answer with a
 * reset uses node:net (resettable_socket.ts).
 */
import { concat } from "./bytes.ts";
import { PeerReset, type RawSocket, SocketClosed } from "./raw_socket.ts";
import { nodeConnect, nodeListen } from "./resettable_socket.ts";

export { PeerReset, SocketClosed } from "./raw_socket.ts";

/** How the other side ended its direction. */
export type End = "fin" | "reset";

/** What `readBefore` answers when nothing came in time. */
export const nothing = Symbol("nothing came");

/** Longest wait for bytes or for room, in milliseconds, unless a socket is given another. */
const PATIENCE = 15_000;

/** Rejects with "cannot <what>: …" when the promise takes longer than `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const outcome = await firstOf(ms, promise);
  if (outcome === nothing) throw new Error(`cannot ${what}: not done within ${ms} ms`);
  return outcome;
}

async function firstOf<T>(ms: number, promise: Promise<T>): Promise<T | typeof nothing> {
  if (ms === Infinity) return await promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof nothing>((resolve) => timer = setTimeout(resolve, ms, nothing));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Socket {
  /** How the other side ended, once a read has met it. */
  end: End | null = null;
  readonly #raw: RawSocket;
  readonly #patience: number;
  #kept: Uint8Array = new Uint8Array();
  #reading: Promise<Uint8Array | null> | null = null;

  /** @param patience the longest wait in milliseconds */
  constructor(raw: RawSocket, patience = PATIENCE) {
    this.#raw = raw;
    this.#patience = patience;
  }

  get localPort(): number {
    return this.#raw.localPort;
  }

  get remotePort(): number {
    return this.#raw.remotePort;
  }

  /** The next bytes; null once the other side has finished. Throws PeerReset. */
  async read(): Promise<Uint8Array | null> {
    const bytes = await this.readBefore(this.#patience);
    if (bytes === nothing) throw new Error(`cannot read: nothing came within ${this.#patience} ms`);
    return bytes;
  }

  /** The same, but `nothing` after `ms` milliseconds, and then nothing is lost. */
  async readBefore(ms: number): Promise<Uint8Array | null | typeof nothing> {
    if (this.#kept.length > 0) {
      const bytes = this.#kept;
      this.#kept = new Uint8Array();
      return bytes;
    }
    if (!this.#reading) {
      this.#reading = this.#raw.read();
      this.#reading.catch(() => {});
    }
    try {
      const bytes = await firstOf(ms, this.#reading);
      if (bytes === nothing) return nothing;
      this.#reading = null;
      if (bytes === null) this.end ??= "fin";
      return bytes;
    } catch (error) {
      this.#reading = null;
      if (error instanceof PeerReset) this.end = "reset";
      throw error;
    }
  }

  /** Exactly that many bytes; null when the other side finished before the first of them. */
  async readExactly(length: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const bytes = await this.read();
      if (bytes === null) {
        if (missing === length) return null;
        throw new Error(`cannot read ${length} bytes: the other side finished ${missing} bytes early`);
      }
      parts.push(bytes.subarray(0, missing));
      this.#kept = bytes.subarray(missing);
      missing -= Math.min(missing, bytes.length);
    }
    return concat(...parts);
  }

  /** What was read from the system and not asked for yet. */
  get kept(): number {
    return this.#kept.length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await within(this.#patience, `write ${bytes.length} bytes`, this.#raw.write(bytes));
  }

  async closeWrite(): Promise<void> {
    await this.#raw.closeWrite();
  }

  close(): void {
    this.#raw.close();
  }

  reset(): void {
    this.#raw.reset();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface SocketOptions {
  hostname?: string;
  /** Needed for `reset()`. */
  resettable?: boolean;
  /** Longest wait in milliseconds. */
  patience?: number;
}

/** Connects with TCP_NODELAY. */
export async function connectSocket(port: number, options: SocketOptions = {}): Promise<Socket> {
  const hostname = options.hostname ?? "127.0.0.1";
  if (options.resettable) return new Socket(await nodeConnect(port, hostname), options.patience);
  const conn = await Deno.connect({ hostname, port });
  conn.setNoDelay(true);
  return new Socket(new DenoSocket(conn), options.patience);
}

export interface SocketListener {
  readonly port: number;
  close(): void;
}

/** Calls `handle` for each connection that arrives. */
export async function listenSockets(
  handle: (socket: Socket) => void,
  options: SocketOptions & { port?: number } = {},
): Promise<SocketListener> {
  const hostname = options.hostname ?? "127.0.0.1";
  if (options.resettable) {
    return await nodeListen((raw) => handle(new Socket(raw, options.patience)), {
      hostname,
      port: options.port,
    });
  }
  const listener = Deno.listen({ hostname, port: options.port ?? 0 });
  let open = true;
  (async () => {
    while (open) {
      // A peer that aborts before it is accepted is an error here, and nothing that a listener should end for.
      const conn = await listener.accept().catch(() => null);
      if (conn === null) continue;
      conn.setNoDelay(true);
      handle(new Socket(new DenoSocket(conn), options.patience));
    }
  })();
  const close = () => {
    open = false;
    listener.close();
  };
  return { port: (listener.addr as Deno.NetAddr).port, close };
}

const BUFFER = 64 * 1024;

class DenoSocket implements RawSocket {
  #open = true;
  readonly #buffer = new Uint8Array(BUFFER);

  constructor(readonly conn: Deno.TcpConn) {}

  get localPort(): number {
    return this.conn.localAddr.port;
  }

  get remotePort(): number {
    return this.conn.remoteAddr.port;
  }

  async read(): Promise<Uint8Array | null> {
    if (!this.#open) return null;
    try {
      const length = await this.conn.read(this.#buffer);
      return length === null ? null : this.#buffer.slice(0, length);
    } catch (error) {
      return this.#explain(error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
    } catch (error) {
      if (this.#explain(error) === null) throw new SocketClosed("cannot write: the socket was closed");
    }
  }

  async closeWrite(): Promise<void> {
    try {
      await this.conn.closeWrite();
    } catch (error) {
      // The other side has reset the connection already; the next read says so.
      if (this.#open && !(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.conn.close();
  }

  reset(): void {
    throw new Error("cannot reset connection: the socket was not made resettable");
  }

  /** Reads that our own close interrupts are an end, like the system would say. */
  #explain(error: unknown): null {
    if (!this.#open) return null;
    if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
      throw new PeerReset("the other side reset the connection", { cause: error });
    }
    throw error;
  }
}
