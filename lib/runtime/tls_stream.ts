import type { TLSSocket } from "node:tls";
import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { writeJoined } from "./joiner.ts";
import type { Gate } from "./tls_duplex.ts";
import { WaitingStream } from "./waiting.ts";

/** Decrypted bytes that may wait for a reader before no more are taken in. */
const MOST_QUEUED = 64 << 10;
/** How long the notice that we close may take, in milliseconds; the peer may have stopped reading. */
const NOTICE = 1_000;

/** The plain side of a TLS connection that node:tls works at. */
export class TlsStream extends WaitingStream implements ByteStream {
  readonly halfCloses = true;
  readonly #socket: TLSSocket;
  readonly #inner: ByteStream;
  readonly #gate: Gate;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #finished = false;
  #closed = false;
  #writing = false;
  #failure: MtrayError | null = null;
  /** Why nothing can be sent any more. */
  #unsent: unknown = null;
  #wake: (() => void) | null = null;

  /** @param gate of what the socket stands on */
  constructor(socket: TLSSocket, inner: ByteStream, gate: Gate) {
    super();
    this.#socket = socket;
    this.#inner = inner;
    this.#gate = gate;
    socket.on("data", (bytes: Uint8Array) => {
      if (this.#closed) return;
      this.#queue.push(bytes);
      this.#queued += bytes.length;
      if (this.#queued >= MOST_QUEUED) gate.shut();
      this.#wakeReader();
    });
    socket.on("end", () => {
      // A broken connection ends, too, and that end is none.
      if (this.#failure === null) this.#ended = true;
      this.#wakeReader();
    });
    socket.on("error", (error) => this.broken(error));
    socket.on("close", () => this.broken(new MtrayError("closed", "the TLS connection was closed")));
  }

  /** Why nothing more comes; what came before stays readable. */
  broken(error: unknown): void {
    this.#failure ??= error instanceof MtrayError
      ? error
      : new MtrayError("closed", `the TLS connection was lost: ${(error as Error).message}`, {
        cause: error,
      });
    this.#wakeReader();
  }

  /** Why nothing more can be sent; reading goes on. */
  unsendable(error: unknown): void {
    this.#unsent ??= error;
  }

  protected async wait(): Promise<boolean> {
    for (;;) {
      if (this.#closed) throw this.#failure;
      if (this.#queue.length > 0) return true;
      if (this.#ended) return false;
      if (this.#failure !== null) throw this.#failure;
      this.#gate.open();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  take(room = 0): Uint8Array {
    const chunk = this.#queue.shift() ?? new Uint8Array();
    this.#queued -= chunk.length;
    // A Buffer in fact, whose slice() does not copy; what lies around it may be somebody else's.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    if (room === 0) return bytes;
    const copy = new Uint8Array(room + bytes.length);
    copy.set(bytes, room);
    return copy.subarray(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (b !== undefined && b.length > 0) return writeJoined(this, a, b);
    if (a.length === 0) return;
    const hindered = this.#failure ?? this.#unsent;
    if (hindered !== null) return Promise.reject(hindered);
    this.#writing = true;
    return new Promise((resolve, reject) => {
      this.#socket.write(a, (error) => {
        this.#writing = false;
        if (error) this.broken(error);
        const hindered = this.#unsent ?? (error ? this.#failure : null);
        if (hindered === null) resolve();
        else reject(hindered);
      });
    });
  }

  closeWrite(): Promise<void> | void {
    if (this.#finished || this.#failure !== null) return;
    this.#finished = true;
    return new Promise((resolve) => {
      this.#socket.once("close", resolve);
      this.#socket.end(() => resolve());
    });
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = new MtrayError("closed", "the stream was closed");
    this.#queue.length = 0;
    this.#wakeReader();
    const end = () => {
      clearTimeout(timer);
      // An abort comes first: node:tls may say goodbye when it is destroyed.
      if (reason !== undefined) this.#inner.close(reason);
      this.#socket.destroy();
      this.#inner.close();
    };
    const timer = setTimeout(end, NOTICE);
    if (reason !== undefined || this.#writing || this.#socket.destroyed) return end();
    // Without the notice that no more comes, a careful peer takes what it has for cut off.
    this.#gate.open();
    this.#socket.end(end);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
