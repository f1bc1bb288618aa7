import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import type { BunSocket } from "./bun_globals.ts";
import { writeJoined } from "./joiner.ts";
import { WaitingStream } from "./waiting.ts";

/** Bytes of a chunk that is worth freeing by hand. */
const LARGE = 16 << 10;

/** One for all: every connection ends with it, and making one costs a stack trace. */
const CLOSED = new MtrayError("closed", "the stream was closed");

/**
 * A TCP connection of Bun, which pushes: every `data` event brings a fresh copy of up to 512 KiB that may be kept.
 * It is turned into pulling by pausing the socket of whoever did not come back for more within one turn of the
 * event loop. A reader that keeps up never pays for a pause.
 */
export class BunStream extends WaitingStream implements ByteStream {
  readonly halfCloses = true;
  readonly #socket: BunSocket;
  /** What came and was not taken, and what came behind it: more than one only until the socket is paused. */
  #chunk: Uint8Array | null = null;
  #behind: Uint8Array[] | null = null;
  /** A large chunk that was taken: its memory is given back at the next wait, when nobody may look at it any more. */
  #taken: Uint8Array | null = null;
  #paused = false;
  /** The peer finished sending. */
  #ended = false;
  /** We finished sending. */
  #finished = false;
  /** Why nothing can be sent, or received beyond what is queued. */
  #failure: unknown = null;
  #reader: PromiseWithResolvers<boolean> | null = null;
  #writer: PromiseWithResolvers<void> | null = null;
  /** What the kernel did not take yet. */
  #rest: Uint8Array | null = null;
  /** Whoever has the socket now. */
  #heir: BunStream | null = null;

  /** @param dialled whether the socket's handlers are its own, and not those of a listener */
  constructor(socket: BunSocket, readonly dialled = false) {
    super();
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
  }

  protected wait(): Promise<boolean> {
    this.#forgetTaken();
    if (this.#chunk !== null) return Promise.resolve(true);
    // Before the failure: what came before the end was complete, whatever happened to the other direction.
    if (this.#ended) return Promise.resolve(false);
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const reader = this.#reader = Promise.withResolvers<boolean>();
    if (this.#paused) this.#pause(false);
    return reader.promise;
  }

  take(room = 0): Uint8Array {
    const chunk = this.#chunk!;
    this.#chunk = this.#behind?.shift() ?? null;
    if (this.#chunk === null) this.#behind = null;
    if (chunk.length >= LARGE && chunk.length === chunk.buffer.byteLength) this.#taken = chunk;
    // A Buffer in fact, whose slice() does not copy; what lies around it may be somebody else's.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    if (room === 0) return bytes;
    const copy = new Uint8Array(room + bytes.length);
    copy.set(bytes, room);
    return copy.subarray(room);
  }

  /** Left to the garbage collector, chunks pile up: half of the memory under load, and page faults for every one. */
  #forgetTaken(): void {
    if (this.#taken === null) return;
    (this.#taken.buffer as ArrayBuffer).transfer(0);
    this.#taken = null;
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (b !== undefined && b.length > 0) return writeJoined(this, a, b);
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (a.length === 0) return;
    const sent = this.#socket.write(a);
    if (sent === a.length) return;
    // The peer is gone, and of a paused socket Bun may never tell.
    if (sent < 0) return Promise.reject(new MtrayError("reset", "the peer aborted the connection"));
    this.#rest = sent > 0 ? a.subarray(sent) : a;
    const writer = this.#writer = Promise.withResolvers<void>();
    return writer.promise;
  }

  closeWrite(): void {
    if (this.#finished || this.#failure !== null) return;
    this.#finished = true;
    // Both directions are over: what `close` does a moment later is done at once, for one system call less.
    if (this.#ended) this.sayGoodbye(this.#socket);
    else this.#socket.shutdown();
  }

  close(reason?: unknown): void {
    if (this.#heir !== null) return this.#heir.close(reason);
    if (this.#failure !== null) return;
    this.#fail(CLOSED);
    if (reason !== undefined) this.#socket.terminate();
    else this.sayGoodbye(this.#socket);
  }

  /** Ends both directions in good order. */
  protected sayGoodbye(socket: BunSocket): void {
    socket.end();
  }

  /**
   * Hands over the socket and what came but was not taken. From then on this stream can only be closed, and closes
   * its heir. No read and no write may be under way.
   *
   * @throws {MtrayError} when the connection is over
   */
  handOver(): { socket: BunSocket; received: Uint8Array[] } {
    if (this.#failure !== null) throw this.#failure;
    if (this.#ended) throw new MtrayError("closed", "the peer has finished sending");
    const received = this.#chunk === null ? [] : [this.#chunk, ...this.#behind ?? []];
    this.#chunk = this.#behind = null;
    this.#failure = new MtrayError("closed", "the socket is somebody else's");
    if (this.#paused) this.#pause(false);
    return { socket: this.#socket, received };
  }

  /** Says who has the socket now. */
  inheritedBy(heir: BunStream): void {
    this.#heir = heir;
  }

  /** The part of keepalive that Bun sets by itself, in seconds. */
  askAfter(idle: number): void {
    this.#socket.setKeepAlive(true, idle * 1000);
  }

  /** Our port. */
  get localPort(): number {
    return this.#socket.localPort;
  }

  /** The descriptor, for socket options; null once closed. */
  get descriptor(): number | null {
    return this.#failure === null && this.#socket.fd >= 0 ? this.#socket.fd : null;
  }

  #pause(on: boolean): void {
    this.#paused = on;
    if (on) this.#socket.pause();
    else this.#socket.resume();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#rest = null;
    this.#reader?.reject(this.#failure);
    this.#writer?.reject(this.#failure);
    this.#reader = this.#writer = null;
  }

  // --- what the socket tells

  onData(bytes: Uint8Array): void {
    if (this.#chunk === null) this.#chunk = bytes;
    else (this.#behind ??= []).push(bytes);
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader.resolve(true);
    }
    if (!this.#paused) checkAfterThisTurn(this);
  }

  /** Stops the flow to a reader that has not come back. */
  pauseUnlessRead(): void {
    if (this.#reader === null && !this.#paused && this.#failure === null && !this.#ended) this.#pause(true);
  }

  onDrain(): void {
    if (this.#rest === null) return;
    const sent = this.#socket.write(this.#rest);
    if (sent < 0) {
      const writer = this.#writer;
      this.#rest = this.#writer = null;
      return writer?.reject(new MtrayError("reset", "the peer aborted the connection"));
    }
    if (sent < this.#rest.length) {
      if (sent > 0) this.#rest = this.#rest.subarray(sent);
      return;
    }
    this.#rest = null;
    const writer = this.#writer;
    this.#writer = null;
    writer?.resolve();
  }

  onEnd(): void {
    this.#ended = true;
    const reader = this.#reader;
    this.#reader = null;
    reader?.resolve(false);
  }

  onClose(error: unknown): void {
    // After our own shutdown the peer's end comes as a close without an error, and without an `end` before it.
    if (this.#finished && !error && this.#failure === null && !this.#ended) this.onEnd();
    this.#fail(
      error
        ? new MtrayError("reset", "the peer aborted the connection", { cause: error })
        : new MtrayError("closed", "the connection was closed"),
    );
  }
}

let fed: BunStream[] = [];

function checkAfterThisTurn(stream: BunStream): void {
  if (fed.length === 0) setImmediate(pauseTheUnread);
  fed.push(stream);
}

function pauseTheUnread(): void {
  const streams = fed;
  fed = [];
  for (const stream of streams) stream.pauseUnlessRead();
}
