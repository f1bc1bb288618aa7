import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { abortConnection, descriptorOfConnection } from "./deno_abort.ts";
import { ReadBuffer } from "./deno_buffers.ts";
import { writeJoined } from "./joiner.ts";
import { WaitingStream } from "./waiting.ts";

/** A TCP connection of Deno. */
export class DenoStream extends WaitingStream implements ByteStream {
  readonly halfCloses = true;
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new ReadBuffer();
  #ended = false;
  #closed = false;
  /** The peer aborted: there is nobody to be told that we do. */
  #reset = false;

  constructor(conn: Deno.TcpConn) {
    super();
    this.#conn = conn;
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  }

  protected async wait(): Promise<boolean> {
    // After the end Deno says "end" again, or an error if we closed in between: the end was received, it stays.
    if (this.#ended) return false;
    if (this.#closed) throw new MtrayError("closed", "the stream was closed");
    let read: number | null;
    try {
      read = await this.#conn.read(this.#buffer.space());
    } catch (error) {
      this.#buffer.release();
      throw this.#broken(error);
    }
    if (read === null) {
      this.#ended = true;
      this.#buffer.release();
      return false;
    }
    this.#buffer.filled(read);
    return true;
  }

  take(_room = 0): Uint8Array {
    return this.#buffer.bytes();
  }

  async write(a: Uint8Array, b?: Uint8Array): Promise<void> {
    if (b !== undefined && b.length > 0) return writeJoined(this, a, b);
    try {
      let done = await this.#conn.write(a);
      while (done < a.length) done += await this.#conn.write(a.subarray(done));
    } catch (error) {
      throw this.#broken(error);
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#closed) return;
    // Both directions are over: what `close` does a moment later is done at once, for one system call less.
    if (this.#ended) return this.close();
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      throw this.#broken(error);
    }
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffer.discard();
    if (reason !== undefined && !this.#reset) abortConnection(this.#conn);
    try {
      this.#conn.close();
    } catch { /* The peer was faster. */ }
  }

  /** The descriptor, for socket options; null once closed, and where it cannot be told. */
  get descriptor(): number | null {
    return this.#closed ? null : descriptorOfConnection(this.#conn);
  }

  #broken(error: unknown): MtrayError {
    const errors = Deno.errors;
    if (
      error instanceof errors.ConnectionReset || error instanceof errors.BrokenPipe ||
      error instanceof errors.NotConnected
    ) {
      this.#reset = true;
      return new MtrayError("reset", "the peer aborted the connection", { cause: error });
    }
    if (error instanceof errors.BadResource || error instanceof errors.Interrupted) {
      return new MtrayError("closed", "the stream was closed", { cause: error });
    }
    return new MtrayError("closed", "the connection was lost", { cause: error });
  }
}
