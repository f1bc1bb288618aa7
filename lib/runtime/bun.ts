import { MtrayError } from "../errors.ts";
import type { Accepted, ByteStream, DialOptions, Target } from "../stream/types.ts";
import { bun, type BunHandlers, type BunSocket } from "./bun_globals.ts";
import { BunStream } from "./bun_stream.ts";
import { countConnection, uncountConnection } from "./descriptors.ts";
import type { Listener, Place } from "./types.ts";

export const handlers: BunHandlers = {
  data: (socket, bytes) => streamOf(socket).onData(bytes),
  drain: (socket) => streamOf(socket).onDrain(),
  end: (socket) => streamOf(socket).onEnd(),
  close: (socket, error) => {
    uncountConnection();
    (socket.data as BunStream | Attempt | undefined)?.onClose(error);
  },
  error: (socket, error) => (socket.data as BunStream | Attempt | undefined)?.onClose(error),
};

function streamOf(socket: BunSocket): BunStream {
  return socket.data as BunStream;
}

/** Binds and hands over each connection. */
export function listen(at: Place, accept: (accepted: Accepted) => void): Promise<Listener> {
  const open = (socket: BunSocket) => {
    const room = countConnection();
    const stream = new BunStream(socket);
    socket.data = stream;
    if (!room) return stream.close(new MtrayError("refused", "too many connections are open"));
    // Reset before it was accepted: it has no address any more, and its end may never be told.
    if (socket.remoteAddress === undefined) {
      return stream.close(new MtrayError("reset", "gone before it came"));
    }
    accept({
      stream,
      remote: { host: plain(socket.remoteAddress), port: socket.remotePort },
      local: { host: plain(socket.localAddress), port: socket.localPort },
    });
  };
  try {
    const listener = bun().listen({
      hostname: at.host,
      port: at.port,
      allowHalfOpen: true,
      exclusive: at.share === undefined,
      reusePort: at.share !== undefined,
      socket: { ...handlers, open },
    });
    return Promise.resolve({
      address: { host: listener.hostname, port: listener.port },
      close: () => listener.stop(false),
    });
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Binds a port alone and lets it go. @returns the port */
export function tryPort({ host, port }: Place): number {
  const listener = bun().listen({
    hostname: host,
    port,
    allowHalfOpen: true,
    exclusive: true,
    socket: { data() {}, drain() {}, end() {}, close() {}, error() {} },
  });
  listener.stop(true);
  return listener.port;
}

/** Connects; a name is resolved by the system. Bun cannot cancel an attempt: one that succeeds late is closed. */
export function dial(target: Target, _options: DialOptions, signal: AbortSignal): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const data = new Attempt(signal, resolve, reject);
    bun().connect({
      hostname: target.host,
      port: target.port,
      allowHalfOpen: true,
      data,
      socket: diallers,
    }).catch((error) => data.failed(error));
  });
}

/** What a socket belongs to until it is connected. The functions of all attempts are the same: they live long. */
class Attempt {
  #settled = false;

  constructor(
    private readonly signal: AbortSignal,
    private readonly resolve: (stream: ByteStream) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    signal.addEventListener("abort", this, { once: true });
    // Counted from here: an attempt holds a descriptor until the system gives up, which takes about two minutes.
    countConnection();
  }

  opened(socket: BunSocket): void {
    this.#settle();
    const stream = new BunStream(socket, true);
    socket.data = stream;
    if (this.signal.aborted) return stream.close(this.signal.reason);
    this.resolve(stream);
  }

  failed(error: unknown): void {
    if (!this.#settled) uncountConnection();
    this.#settle();
    this.reject(error);
  }

  /** The signal says that nobody waits any more. */
  handleEvent(): void {
    this.reject(this.signal.reason);
  }

  onClose(error: unknown): void {
    this.reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.signal.removeEventListener("abort", this);
  }
}

const diallers: BunHandlers = {
  ...handlers,
  open: (socket) => (socket.data as Attempt).opened(socket),
  connectError: (socket, error) => (socket.data as Attempt).failed(error),
};

/** An IPv4 address stays one when it arrives on a socket that takes both families. */
function plain(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

export const cannotShare = () => null;

export const sharesPackets = true;

/** What starts this program again in a thread. */
export const program = () => bun().main;

/** What `Runtime.name` stands for, with its version. */
export const version = () => bun().version;
