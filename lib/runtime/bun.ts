import { MtrayError } from "../errors.ts";
import type { Accepted, ByteStream, DialOptions, Target } from "../stream/types.ts";
import { bun, type BunHandlers, type BunSocket } from "./bun_globals.ts";
import { BunStream } from "./bun_stream.ts";
import { countConnection, uncountConnection } from "./descriptors.ts";
import type { Listener } from "./types.ts";

export const handlers: BunHandlers = {
  data: (socket, bytes) => streamOf(socket).onData(bytes),
  drain: (socket) => streamOf(socket).onDrain(),
  end: (socket) => streamOf(socket).onEnd(),
  close: (socket, error) => {
    uncountConnection();
    (socket.data as BunStream | undefined)?.onClose(error);
  },
  error: (socket, error) => (socket.data as BunStream | undefined)?.onClose(error),
};

function streamOf(socket: BunSocket): BunStream {
  return socket.data as BunStream;
}

/** Binds and hands over each connection. */
export function listen(
  at: { host: string; port: number },
  accept: (accepted: Accepted) => void,
): Promise<Listener> {
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
      exclusive: true,
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

/** Connects; a name is resolved by the system. Bun cannot cancel an attempt: one that succeeds late is closed. */
export function dial(target: Target, _options: DialOptions, signal: AbortSignal): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    // Counted from here: an attempt holds a descriptor until the system gives up, which takes about two minutes.
    countConnection();
    let settled = false;
    const open = (socket: BunSocket) => {
      settled = true;
      signal.removeEventListener("abort", abort);
      const stream = new BunStream(socket, true);
      socket.data = stream;
      if (signal.aborted) return stream.close(signal.reason);
      resolve(stream);
    };
    const failed = (error: unknown) => {
      if (!settled) uncountConnection();
      settled = true;
      signal.removeEventListener("abort", abort);
      reject(error);
    };
    const connectError = (_: BunSocket, error: unknown) => failed(error);
    bun().connect({
      hostname: target.host,
      port: target.port,
      allowHalfOpen: true,
      socket: { ...handlers, open, connectError },
    }).catch(failed);
  });
}

/** An IPv4 address stays one when it arrives on a socket that takes both families. */
function plain(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

/** What `Runtime.name` stands for, with its version. */
export const version = () => bun().version;
