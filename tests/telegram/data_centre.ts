/**
 * A data centre on loopback, as a proxy sees one: obfuscated2 without a secret, then whatever the behaviour says
 * (behaviours.ts, mtproto_server.ts). It writes down what it saw, for the test to judge.
 */
import { equal } from "./bytes.ts";
import { FrameReader } from "./framing.ts";
import { accept, type CtrKey, type Ends, forbiddenStart, keyBytesFor } from "./obfuscated2.ts";
import {
  type End,
  listenSockets,
  PeerReset,
  type Socket,
  SocketClosed,
  type SocketListener,
  within,
} from "./socket.ts";

/** What the data centre does with a connection whose header it has read. It may return early; closing is not its job. */
export type Behaviour = (connection: Connection) => Promise<void>;

/** One connection whose header has come. */
export class Connection {
  readonly tag: number;
  /** Signed id that the proxy wrote. */
  readonly dc: number;
  /** The 64 bytes as they came. */
  readonly header: Uint8Array;
  /** Which rule for the first eight bytes is broken; null when none. */
  readonly forbidden: string | null;
  /** Payload bytes that came after the header. */
  bytesUp = 0;
  /** Payload bytes that the kernel took from us. */
  bytesDown = 0;
  /** Settles with how the other side ended, once somebody has read that far; "open" if we closed before. */
  readonly ended: Promise<End | "open">;
  #settle: (end: End | "open") => void = () => {};

  constructor(readonly socket: Socket, readonly ends: Ends) {
    this.tag = ends.tag;
    this.dc = ends.dc;
    this.header = ends.header;
    this.forbidden = forbiddenStart(ends.header);
    this.ended = new Promise((resolve) => this.#settle = resolve);
  }

  /** Whether the proxy made us encrypt with its client's own downlink key. */
  adopts(downlink: CtrKey): boolean {
    return equal(this.header.subarray(8, 56), keyBytesFor(downlink));
  }

  /** The next payload bytes, decrypted; null at the end. */
  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#watch(() => this.socket.read());
    if (bytes === null) return null;
    this.bytesUp += bytes.length;
    return this.ends.up.update(bytes);
  }

  /** Encrypts and sends. Waits for room, so a reader that stops is felt. */
  async write(payload: Uint8Array): Promise<void> {
    await this.#watch(() => this.socket.write(this.ends.down.update(payload)));
    this.bytesDown += payload.length;
  }

  /** Reads and forgets until the other side has ended. */
  async drain(): Promise<void> {
    while (await this.read() !== null);
  }

  /** Packets by the connection's framing; ends when the other side does. */
  async *packets(): AsyncGenerator<{ data: Uint8Array; wantsQuickAck: boolean }> {
    const frames = new FrameReader(this.tag, "client");
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) {
      frames.push(bytes);
      for (let frame = frames.next(); frame !== null; frame = frames.next()) {
        if (frame.kind === "packet") yield frame;
      }
    }
    if (frames.pending > 0) throw new Error(`cannot read packet: the stream ended inside one`);
  }

  close(): void {
    this.socket.close();
    this.#settle(this.socket.end ?? "open");
  }

  async #watch<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof PeerReset) this.socket.end = "reset";
      throw error;
    } finally {
      if (this.socket.end) this.#settle(this.socket.end);
    }
  }
}

export interface DataCentreOptions {
  hostname?: string;
  port?: number;
  /** Needed for behaviours that answer with a reset. */
  resettable?: boolean;
}

export class DataCentre {
  /** How many connections were accepted, with a header or without. */
  accepted = 0;
  /** Those whose header came, in that order. */
  readonly connections: Connection[] = [];
  /** What went wrong: no header that can be read, framing that makes no sense. A peer's reset is no failure. */
  readonly failures: unknown[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { index: number; resolve: (connection: Connection) => void }[] = [];
  #listener: SocketListener | null = null;

  private constructor(readonly behaviour: Behaviour, readonly options: DataCentreOptions) {}

  static async start(behaviour: Behaviour, options: DataCentreOptions = {}): Promise<DataCentre> {
    const centre = new DataCentre(behaviour, options);
    const { hostname, port, resettable } = options;
    // Waiting for a proxy that has nothing to say is part of the job.
    centre.#listener = await listenSockets((socket) => centre.#take(socket), {
      hostname,
      port,
      resettable,
      patience: Infinity,
    });
    return centre;
  }

  get port(): number {
    if (!this.#listener) throw new Error("cannot tell port: the data centre does not listen");
    return this.#listener.port;
  }

  /** As `dataCenters` in the config takes it. */
  get address(): string {
    const hostname = this.options.hostname ?? "127.0.0.1";
    return hostname.includes(":") ? `[${hostname}]:${this.port}` : `${hostname}:${this.port}`;
  }

  /** The connection whose header came as the index-th, waiting for it. */
  async connection(index: number, ms = 10_000): Promise<Connection> {
    const known = this.connections[index];
    if (known) return known;
    const coming = new Promise<Connection>((resolve) => this.#waiting.push({ index, resolve }));
    return await within(ms, `see connection ${index} at the data centre`, coming);
  }

  /** Stops listening, closes what is open, and throws the first failure unless told to keep quiet. */
  async close(options: { ignoreFailures?: boolean } = {}): Promise<void> {
    this.#listener?.close();
    this.connections.forEach((connection) => connection.close());
    this.#sockets.forEach((socket) => socket.close());
    await within(10_000, "stop the data centre", Promise.all(this.#open));
    if (this.failures.length > 0 && !options.ignoreFailures) throw this.failures[0];
  }

  #take(socket: Socket): void {
    this.accepted++;
    this.#sockets.add(socket);
    const serving: Promise<void> = this.#serve(socket).catch((error) => {
      if (!(error instanceof PeerReset || error instanceof SocketClosed)) this.failures.push(error);
    }).finally(() => {
      socket.close();
      this.#sockets.delete(socket);
      this.#open.delete(serving);
    });
    this.#open.add(serving);
  }

  async #serve(socket: Socket): Promise<void> {
    const header = await socket.readExactly(64);
    if (header === null) return;
    const ends = accept(header);
    if (ends === null) throw new Error("cannot read header: no known framing tag in it");
    const connection = new Connection(socket, ends);
    this.connections.push(connection);
    this.#waiting.filter(({ index }) => index < this.connections.length).forEach(({ index, resolve }) => {
      resolve(this.connections[index]);
    });
    try {
      await this.behaviour(connection);
    } finally {
      connection.close();
    }
  }
}
