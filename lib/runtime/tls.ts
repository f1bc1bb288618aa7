import type { TLSSocket } from "node:tls";
import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { tlsOnBun } from "./bun_tls.ts";
import { nodeNet, nodeTls } from "./node_net.ts";
import { clientContext, serverContext } from "./tls_context.ts";
import { asDuplex, Gate } from "./tls_duplex.ts";
import { tlsReason } from "./tls_errors.ts";
import { judgePeer, type Peer } from "./tls_judge.ts";
import { TlsStream } from "./tls_stream.ts";
import type { TlsOptions, TlsServerOptions } from "./types.ts";

const onBun = "Bun" in globalThis;

/** How long a handshake may go on after the other side has finished sending, in milliseconds. */
const ENDED = 200;

/** TLS as a client over any stream, so that it works through a chain, too. */
export async function startTls(
  stream: ByteStream,
  serverName: string,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<ByteStream> {
  try {
    signal.throwIfAborted();
    const judge = (peer: Peer) => judgePeer(peer, serverName, options);
    const name = nodeNet().isIP(serverName) === 0 ? serverName : undefined;
    if (onBun) {
      const context = clientContext(options);
      return await tlsOnBun(
        stream,
        { context, name, alpn: options.alpn, isServer: false, judge },
        signal,
      );
    }
    return await handshake(stream, undefined, signal, (duplex) => {
      const socket = nodeTls().connect({
        socket: duplex,
        secureContext: clientContext(options),
        servername: name,
        ALPNProtocols: options.alpn?.length ? [...options.alpn] : undefined,
        // Judged below, in the same way on every runtime.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      const done = () =>
        judge({
          trusted: socket.authorized,
          error: socket.authorizationError,
          leaf: socket.getPeerCertificate(true),
        });
      return { socket, event: "secureConnect", done };
    });
  } catch (error) {
    stream.close(error);
    throw failure(`cannot start TLS with ${serverName}`, "unreachable", error, signal);
  }
}

/** TLS as a server over any stream. */
export async function acceptTls(
  stream: ByteStream,
  options: TlsServerOptions,
  first: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<ByteStream> {
  try {
    signal.throwIfAborted();
    if (onBun) {
      const context = serverContext(options);
      return await tlsOnBun(stream, { context, alpn: options.alpn, isServer: true, first }, signal);
    }
    return await handshake(stream, first, signal, (duplex) => {
      const socket = new (nodeTls().TLSSocket)(duplex, {
        isServer: true,
        secureContext: serverContext(options),
        ALPNProtocols: options.alpn?.length ? [...options.alpn] : undefined,
      });
      return { socket, event: "secure", done: () => {} };
    });
  } catch (error) {
    stream.close(error);
    throw failure("cannot take in a TLS connection", "protocol", error, signal);
  }
}

interface Started {
  socket: TLSSocket;
  /** What says that the handshake is over. */
  event: "secure" | "secureConnect";
  /** Throws where the connection must not be used. */
  done(): void;
}

function handshake(
  stream: ByteStream,
  first: Uint8Array | undefined,
  signal: AbortSignal,
  start: (duplex: ReturnType<typeof asDuplex>) => Started,
): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    let wrapped: TlsStream | undefined;
    let ending: ReturnType<typeof setTimeout> | undefined;
    const gate = new Gate();
    const duplex = asDuplex(stream, {
      first,
      gate,
      failed: (direction, error) => {
        // What the engine has may still be enough for it to finish.
        if (error === undefined) {
          if (wrapped === undefined) ending = setTimeout(closed, ENDED);
        } else if (wrapped === undefined) failed(error);
        else if (direction === "reading") wrapped.broken(error);
        else wrapped.unsendable(error);
      },
    });
    const { socket, event, done } = start(duplex);
    const over = () => {
      clearTimeout(ending);
      signal.removeEventListener("abort", abort);
      socket.off("error", failed);
      socket.off("close", closed);
    };
    const failed = (error: unknown) => {
      over();
      // A late complaint of an engine that is being taken down is no news.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const closed = () =>
      failed(new MtrayError("closed", "the other side ended the connection during the handshake"));
    const abort = () => failed(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("error", failed);
    socket.on("close", closed);
    socket.once(event, () => {
      try {
        done();
      } catch (error) {
        return failed(error);
      }
      over();
      wrapped = new TlsStream(socket, stream, gate);
      resolve(wrapped);
    });
  });
}

function failure(
  what: string,
  code: "unreachable" | "protocol",
  error: unknown,
  signal: AbortSignal,
): MtrayError {
  const why = signal.aborted ? signal.reason : error;
  if (why instanceof MtrayError && why.code === "stopped") return why;
  const kept = why instanceof MtrayError && code === "protocol" && why.code !== "closed" ? why.code : code;
  return new MtrayError(kept, `${what}: ${tlsReason(why)}`, { cause: error });
}
