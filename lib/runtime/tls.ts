import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { writeJoined } from "./joiner.ts";
import type { TlsOptions } from "./types.ts";
import { WaitingStream } from "./waiting.ts";

/** TLS as a client over any stream, so that it works through a chain, too. */
export function startTls(stream: ByteStream, options: TlsOptions, signal: AbortSignal): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: asDuplex(stream),
      servername: options.serverName,
      ALPNProtocols: options.alpn,
      ca: options.caCerts,
      rejectUnauthorized: options.allowInsecure !== true,
    });
    const failed = (error: unknown) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      stream.close(error);
      reject(
        error instanceof MtrayError ? error : new MtrayError(
          "unreachable",
          `cannot start TLS with ${options.serverName}: ${error instanceof Error ? error.message : error}`,
          { cause: error },
        ),
      );
    };
    const abort = () => failed(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", failed);
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", failed);
      resolve(new TlsStream(socket, stream));
    });
  });
}

/** The plain side of a TLS connection. */
class TlsStream extends WaitingStream implements ByteStream {
  readonly halfCloses = true;
  readonly #socket: TLSSocket;
  readonly #inner: ByteStream;
  #ended = false;
  #failure: unknown = null;
  #wake: (() => void) | null = null;
  #chunk: Uint8Array | null = null;

  constructor(socket: TLSSocket, inner: ByteStream) {
    super();
    this.#socket = socket;
    this.#inner = inner;
    const wake = () => {
      const wake = this.#wake;
      this.#wake = null;
      wake?.();
    };
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#ended = true;
      wake();
    });
    socket.on("error", (error) => {
      this.#failure ??= new MtrayError("closed", `the TLS connection was lost: ${error.message}`, {
        cause: error,
      });
      wake();
    });
    socket.on("close", () => {
      this.#failure ??= new MtrayError("closed", "the TLS connection was closed");
      wake();
    });
  }

  protected async wait(): Promise<boolean> {
    for (;;) {
      this.#chunk = this.#socket.read();
      if (this.#chunk !== null) return true;
      if (this.#ended) return false;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  take(room = 0): Uint8Array {
    const chunk = this.#chunk ?? new Uint8Array();
    this.#chunk = null;
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    if (room === 0) return bytes;
    const copy = new Uint8Array(room + bytes.length);
    copy.set(bytes, room);
    return copy.subarray(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> {
    if (b !== undefined && b.length > 0) return writeJoined(this, a, b);
    return new Promise((resolve, reject) => {
      this.#socket.write(a, (error) => error ? reject(this.#failure ?? error) : resolve());
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(reason?: unknown): void {
    this.#failure ??= new MtrayError("closed", "the stream was closed");
    if (reason === undefined) this.#socket.end();
    this.#socket.destroy();
    this.#inner.close(reason);
  }
}

/** A stream of ours in the shape that node:tls takes. */
function asDuplex(stream: ByteStream): Duplex {
  const duplex: Duplex = new Duplex({
    read() {
      pull();
    },
    write(chunk: Uint8Array, _encoding, done) {
      Promise.resolve(stream.write(chunk)).then(() => done(), done);
    },
    final(done) {
      Promise.resolve(stream.closeWrite()).then(() => done(), done);
    },
    destroy(error, done) {
      stream.close(error ?? undefined);
      done(error);
    },
  });
  const pull = () => {
    stream.ready().then((more) => {
      if (!more) return void duplex.push(null);
      const bytes = stream.take();
      // Nothing pushed means nobody asks again.
      if (bytes.length === 0) return pull();
      // Copied: the view is ours only until the next ready().
      duplex.push(Uint8Array.from(bytes));
    }).catch((error) => duplex.destroy(error));
  };
  return duplex;
}
