import type { PeerCertificate, SecureContext } from "node:tls";
import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { handlers } from "./bun.ts";
import { bridgeTo } from "./bun_bridge.ts";
import type { BunSocket, BunTlsSocket } from "./bun_globals.ts";
import { BunStream } from "./bun_stream.ts";
import type { Peer } from "./tls_judge.ts";

interface Upgrade {
  context: SecureContext;
  isServer: boolean;
  /** For SNI. */
  name?: string;
  alpn?: readonly string[];
  /** What was read of the stream already. */
  first?: Uint8Array;
  /** Throws where a server must not be used. */
  judge?(peer: Peer): void;
}

/** TLS by Bun's own engine, which takes sockets only. */
export async function tlsOnBun(
  stream: ByteStream,
  upgrade: Upgrade,
  signal: AbortSignal,
): Promise<ByteStream> {
  if (stream instanceof BunStream) return await upgradeSocket(stream, upgrade, signal);
  const { socket, closed } = await bridgeTo(stream, signal);
  try {
    return await upgradeSocket(socket, upgrade, signal, closed);
  } catch (error) {
    closed(error);
    throw error;
  }
}

/** @param closed is told when the result is closed, and whether that was an abort */
function upgradeSocket(
  stream: BunStream,
  upgrade: Upgrade,
  signal: AbortSignal,
  closed?: (reason?: unknown) => void,
): Promise<ByteStream> {
  const { context, isServer, name, alpn, first, judge } = upgrade;
  const { socket, received } = stream.handOver();
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (result: () => void) => {
      if (settled) return;
      settled = true;
      signal.removeEventListener("abort", abort);
      result();
    };
    const failed = (error: unknown) =>
      settle(() => {
        inner?.close(error);
        socket.terminate();
        reject(error);
      });
    const abort = () => failed(signal.reason);
    let inner: BunStream | undefined;
    signal.addEventListener("abort", abort, { once: true });
    try {
      // Ciphertext that nobody listens for is not copied, which is half of the work.
      const { close, drain, end, error } = handlers;
      if (stream.dialled) socket.reload({ socket: { close, drain, end, error } });
      const [raw, tls] = socket.upgradeTLS({
        isServer,
        tls: {
          secureContext: (context as { context: unknown }).context,
          // Left out, Bun takes the address that it dialled.
          ...(!isServer && { serverName: name ?? "" }),
          ...(alpn?.length && { ALPNProtocols: wireFormat(alpn) }),
          // Judged below, in the same way on every runtime.
          rejectUnauthorized: false,
          requestCert: !isServer,
        },
        ...(first?.length || received.length > 0
          ? { initialData: joined(first === undefined ? received : [first, ...received]) }
          : {}),
        allowHalfOpen: true,
        data: undefined,
        socket: {
          ...handlers,
          close: (tls: BunSocket, error: unknown) => {
            (tls.data as BunStream | undefined)?.onClose(error);
            failed(
              error ?? new MtrayError("closed", "the other side ended the connection during the handshake"),
            );
          },
          error: (tls: BunSocket, error: unknown) => {
            (tls.data as BunStream | undefined)?.onClose(error);
            failed(error);
          },
          handshake: (tls: BunTlsSocket, success, error) => {
            if (settled) return;
            if (!success && (isServer || !isVerdict(error))) {
              return failed(error ?? new MtrayError("protocol", "the handshake failed"));
            }
            try {
              judge?.({
                trusted: error === null || error === undefined,
                error,
                leaf: tls.getPeerCertificate(false) as PeerCertificate,
              });
            } catch (error) {
              return failed(error);
            }
            settle(() => resolve(inner!));
          },
        },
      });
      // Not the object that was upgraded: Bun tells the one that it gives back.
      socket.data = raw.data = ciphertext;
      inner = new BunTlsStream(tls, closed);
      tls.data = inner;
      stream.inheritedBy(inner);
    } catch (error) {
      failed(error);
    }
  });
}

/** Whether an error is about a certificate that was shown in a handshake that came to its end. */
function isVerdict(error: Error | null): boolean {
  const code = (error as { code?: string } | null)?.code ?? "";
  return /^(ERR_TLS_CERT_|UNABLE_TO_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_)/.test(
    code,
  );
}

class BunTlsStream extends BunStream {
  readonly #closed?: (reason?: unknown) => void;

  constructor(socket: BunSocket, closed?: (reason?: unknown) => void) {
    super(socket);
    this.#closed = closed;
  }

  override close(reason?: unknown): void {
    super.close(reason);
    this.#closed?.(reason);
  }

  /** `end()` would wait for the peer's answer, and keep the descriptor for as long as it likes. */
  protected override sayGoodbye(socket: BunSocket): void {
    socket.shutdown();
    (socket as BunTlsSocket).close();
  }
}

/** What stands below TLS has nobody who would read it; of an accepted socket Bun tells it all the same. */
const ciphertext = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };

function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Names with a byte of length in front of each. */
function wireFormat(names: readonly string[]): Uint8Array {
  return joined(names.map((name) => {
    const bytes = new TextEncoder().encode(name);
    return joined([Uint8Array.of(bytes.length), bytes]);
  }));
}
