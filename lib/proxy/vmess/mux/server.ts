import type { ByteStream, PacketStream, Target } from "../../../stream/types.ts";
import { MuxConnection } from "./connection.ts";
import type { ReadHead } from "./frame.ts";
import { PacketSession } from "./packet_session.ts";
import { StreamSession } from "./stream_session.ts";
import type { CarriedSession } from "./types.ts";

/** Whoever serves the sessions of a carrier. A session is closed when its promise settles. */
export interface MuxHandler {
  stream(target: Target, stream: ByteStream): Promise<void>;
  packets(target: Target, packets: PacketStream): Promise<void>;
}

export interface ServeOptions {
  /** Sessions at a time; a further one is refused. */
  sessions?: number;
  /** A carrier without a session is closed after so many milliseconds. */
  idle?: number;
  /** When it fires the carrier ends with the last of its sessions, or at once. */
  stopping?: AbortSignal;
}

const SESSIONS = 1024;
const IDLE = 300_000;

/**
 * Serves the sessions that a peer opens over a carrier: Mux.Cool's, and XUDP's.
 *
 * It settles when the carrier and every handler have finished. When a session's reader lags 256 KiB behind, the carrier
 * is not read until it takes some.
 *
 * @param carrier is closed in every case
 * @throws {MtrayError} `protocol` for bytes that are no frames, otherwise what the carrier broke with
 */
export async function serveMux(
  carrier: ByteStream,
  handler: MuxHandler,
  { sessions = SESSIONS, idle = IDLE, stopping }: ServeOptions = {},
): Promise<void> {
  const served = new Set<Promise<void>>();
  const connection = new MuxConnection(carrier, { idle, accept });
  function accept({ id, network, target, extended }: ReadHead): CarriedSession | null {
    if (target === undefined || target.port === 0 || connection.size >= sessions) return null;
    const session = network === "tcp"
      ? new StreamSession(connection, id)
      : new PacketSession(connection, id, { target, opens: false, xudp: extended || id === 0 });
    connection.add(session);
    const done = serve(session, target, handler).then(() => void served.delete(done));
    served.add(done);
    return session;
  }
  const stop = () => connection.closeWhenEmpty();
  if (stopping?.aborted) stop();
  stopping?.addEventListener("abort", stop);
  try {
    await connection.run();
  } finally {
    stopping?.removeEventListener("abort", stop);
    await Promise.all(served);
  }
}

async function serve(
  session: StreamSession | PacketSession,
  target: Target,
  handler: MuxHandler,
): Promise<void> {
  try {
    if (session instanceof StreamSession) await handler.stream(target, session);
    else await handler.packets(target, session);
    session.close();
  } catch (error) {
    session.close(error);
  }
}
