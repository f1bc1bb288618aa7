import type { Accepted, ByteStream, DialOptions, Target } from "../stream/types.ts";
import { DenoStream } from "./deno_stream.ts";
import type { Listener, Place } from "./types.ts";
import { pause } from "./waiting.ts";

/** After an accept that failed (usually: too many open files), how long to wait before the next. Milliseconds. */
const ACCEPT_PAUSE = 100;

/** Binds and hands over each connection. */
export function listen(at: Place, accept: (accepted: Accepted) => void): Promise<Listener> {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: at.host, port: at.port, reusePort: at.share !== undefined });
  } catch (error) {
    return Promise.reject(error);
  }
  let open = true;
  const serve = async () => {
    while (open) {
      let conn: Deno.TcpConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (open && !isClientsFault(error)) await pause(ACCEPT_PAUSE);
        continue;
      }
      try {
        accept({
          stream: new DenoStream(conn),
          remote: targetOf(conn.remoteAddr),
          local: targetOf(conn.localAddr),
        });
      } catch {
        // The client left between the accept and the first question about it.
        try {
          conn.close();
        } catch { /* Gone already. */ }
      }
    }
  };
  serve();
  return Promise.resolve({
    address: targetOf(listener.addr),
    close: () => {
      if (!open) return;
      open = false;
      listener.close();
    },
  });
}

/** Binds a port alone and lets it go. @returns the port */
export function tryPort({ host, port }: Place): number {
  const listener = Deno.listen({ hostname: host, port });
  listener.close();
  return listener.addr.port;
}

/** A client that aborts before it is accepted; it must not hold up those who come after it. */
function isClientsFault(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

/** Connects; a name is resolved by the system. */
export async function dial(target: Target, _options: DialOptions, signal: AbortSignal): Promise<ByteStream> {
  const conn = await Deno.connect({ hostname: target.host, port: target.port, signal });
  if (signal.aborted) {
    conn.close();
    throw signal.reason;
  }
  return new DenoStream(conn);
}

function targetOf(address: Deno.Addr): Target {
  const { hostname, port } = address as Deno.NetAddr;
  return { host: hostname.replace(/^\[|\]$/g, ""), port };
}

/** Without the flag `listen` would end the process; it is also what this function stands behind. */
export const cannotShare = () =>
  "listenDatagram" in Deno ? null : "Deno shares a port only when it is started with --unstable-net";

/** No interface of Deno sets SO_REUSEPORT for UDP. */
export const sharesPackets = false;

/** What starts this program again in a thread. */
export const program = () => Deno.mainModule;

/** What `Runtime.name` stands for, with its version. */
export const version = () => Deno.version.deno;
