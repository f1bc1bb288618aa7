import { randomBytes } from "../../crypto/random.ts";
import { MtrayError } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import type { ByteStream, timedOut } from "../../stream/types.ts";
import { applyMask, BINARY, CLOSE, type Control, frameHead, FrameReader, PING, PONG } from "./frames.ts";

/** How long the notice that we close may take, in milliseconds; the peer may have stopped reading. */
const NOTICE = 1_000;
/** Status 1000, a normal closure. */
const NORMAL = Uint8Array.of(0x03, 0xe8);

/**
 * A WebSocket as a stream of bytes: every write is a binary frame, and whatever comes is payload. It cannot
 * half-close, so an end is told only when both directions end.
 */
export class WebSocketStream implements ByteStream {
  readonly halfCloses = false;
  readonly #inner: ByteStream;
  readonly #isClient: boolean;
  readonly #frames: FrameReader;
  /** Early data, then what a handshake read too far, then nothing. */
  #early: Uint8Array | null;
  #first: Uint8Array | null;
  /** The peer has said that no more comes. */
  #ended = false;
  #closed = false;
  #broken: unknown = null;
  /** Whether a write of the user's is under way, … */
  #writing = false;
  /** … or one of ours. */
  #answering: Promise<void> | null = null;
  /** The answer to the latest ping; older ones need none. */
  #pong: Uint8Array | null = null;

  /**
   * @param options.early payload that came with the request
   * @param options.first what was read behind the handshake
   */
  constructor(
    inner: ByteStream,
    options: { isClient: boolean; early?: Uint8Array; first?: Uint8Array },
  ) {
    this.#inner = inner;
    this.#isClient = options.isClient;
    this.#frames = new FrameReader(!options.isClient);
    this.#early = options.early?.length ? options.early : null;
    this.#first = options.first?.length ? options.first : null;
  }

  ready(): Promise<boolean> {
    return this.#state() ?? this.#answer(this.#inner.ready());
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    return this.#state() ?? this.#answer(this.#inner.readyBefore(deadline));
  }

  take(room = 0): Uint8Array {
    if (this.#early !== null) {
      const early = this.#early;
      this.#early = null;
      return withRoom(early, room);
    }
    if (this.#first !== null) {
      const first = this.#first;
      this.#first = null;
      return withRoom(this.#read(first), room);
    }
    // What lies in front of the payload is its frame's head or the room that the inner stream gave.
    return this.#read(this.#inner.take(room));
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (this.#closed) return Promise.reject(closed());
    if (this.#answering !== null) return this.#answering.then(() => this.write(a, b));
    if (this.#ended) return Promise.reject(new MtrayError("closed", "the peer has closed the WebSocket"));
    const length = a.length + (b?.length ?? 0);
    if (length === 0) return;
    const mask = this.#isClient ? randomMask() : null;
    if (mask !== null) {
      applyMask(a, mask, 0);
      if (b !== undefined) applyMask(b, mask, a.length);
    }
    const head = frameHead(BINARY, length, mask);
    const writing = b === undefined || b.length === 0
      ? this.#inner.write(head, a)
      : this.#inner.write(concat(head, a), b);
    if (writing === undefined) return;
    this.#writing = true;
    return this.#finish(writing);
  }

  closeWrite(): Promise<void> | void {
    return this.#answering ?? undefined;
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#early = this.#first = null;
    const late = this.#writing || this.#answering !== null || this.#broken !== null;
    if (reason !== undefined || late) return this.#inner.close(reason);
    // Without the notice that we close, a careful peer takes what it has for cut off.
    const end = () => {
      clearTimeout(timer);
      this.#inner.close();
    };
    const timer = setTimeout(end, NOTICE);
    const writing = this.#send(CLOSE, NORMAL);
    if (writing === undefined) end();
    else writing.then(end, end);
  }

  /** What is known without waiting. */
  #state(): Promise<boolean> | null {
    if (this.#closed) return Promise.reject(closed());
    if (this.#early !== null || this.#first !== null) return Promise.resolve(true);
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return this.#ended ? Promise.resolve(false) : null;
  }

  async #answer<T>(waiting: Promise<T>): Promise<T> {
    const more = await waiting;
    // An end between two frames is taken for one: many servers do without the closing frame.
    if (more === false && !this.#frames.between) {
      throw new MtrayError("closed", "the WebSocket was cut off inside a frame");
    }
    if (this.#closed) throw closed();
    return more;
  }

  #read(bytes: Uint8Array): Uint8Array {
    try {
      return this.#frames.read(bytes, (frame) => this.#control(frame));
    } catch (error) {
      this.#broken = error;
      return new Uint8Array();
    }
  }

  #control({ opcode, payload }: Control): void {
    if (opcode === CLOSE) this.#ended = true;
    else if (opcode === PING) {
      this.#pong = payload;
      this.#answerPing();
    }
  }

  /** At once, or when the write under way is over: a stream takes one at a time. */
  #answerPing(): void {
    if (this.#pong === null || this.#writing || this.#answering !== null || this.#closed) return;
    const pong = this.#pong;
    this.#pong = null;
    const writing = this.#send(PONG, pong);
    if (writing === undefined) return;
    this.#answering = writing.catch(() => {}).then(() => {
      this.#answering = null;
      this.#answerPing();
    });
  }

  #send(opcode: number, payload: Uint8Array): Promise<void> | void {
    const mask = this.#isClient ? randomMask() : null;
    const bytes = payload.slice();
    if (mask !== null) applyMask(bytes, mask, 0);
    return this.#inner.write(concat(frameHead(opcode, bytes.length, mask), bytes));
  }

  async #finish(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } finally {
      this.#writing = false;
      this.#answerPing();
    }
  }
}

function closed(): MtrayError {
  return new MtrayError("closed", "the stream was closed");
}

function withRoom(bytes: Uint8Array, room: number): Uint8Array {
  if (room === 0) return bytes;
  const copy = new Uint8Array(room + bytes.length);
  copy.set(bytes, room);
  return copy.subarray(room);
}

/** Random bytes are drawn for many masks at a time. */
let pool = new Uint8Array();
let drawn = 0;

function randomMask(): Uint8Array {
  if (drawn === pool.length) {
    pool = randomBytes(1024);
    drawn = 0;
  }
  return pool.slice(drawn, drawn += 4);
}
