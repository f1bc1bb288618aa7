import { MtrayError } from "../../../errors.ts";
import { WaitingStream } from "../../../runtime/waiting.ts";
import type { ByteStream, Target } from "../../../stream/types.ts";
import { ByteQueue } from "./byte_queue.ts";
import { END_LENGTH, putEnd } from "./end_turn.ts";
import { encodeDestination, headLength, type Piece, writeHead } from "./frame.ts";
import type { CarriedSession, Line } from "./types.ts";

/** Bytes that may wait for a session's reader before its carrier is not read any further. */
export const MOST_UNREAD = 256 << 10;
/** Bytes of data in one frame of a stream, as all peers send it. */
const FRAME = 8 << 10;

/** Of the side that opens sessions. */
export interface Opening {
  target: Target;
  /** How long the first frame waits for data to take along, in milliseconds. */
  firstPayload: number;
}

interface Write {
  a: Uint8Array;
  b: Uint8Array | undefined;
  /** What was put into frames, of both. */
  at: number;
  length: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A TCP session.
 *
 * What an end means depends on the side. V2Ray's, Xray's and sing's servers send it when the target has finished, and
 * go on to read, or not; so a server's `closeWrite` sends it. But an Xray server that is sent one stops the answer,
 * V2Ray's gives it a second, and sing's never confirms it; so a client sends an end when the server has, or when it
 * wants no more: it does not half-close. Whoever sends a second end has forgotten the session.
 */
export class StreamSession extends WaitingStream implements ByteStream, CarriedSession {
  readonly id: number;
  readonly halfCloses: boolean;
  readonly #line: Line;
  readonly #unread = new ByteQueue();
  /** What the first frame has to say; null once it is said. */
  #announcement: Uint8Array | null = null;
  #announceNow = false;
  #firstTimer: ReturnType<typeof setTimeout> | undefined;
  #write: Write | null = null;
  /** `closeWrite` was called. */
  #finishing = false;
  #flushed: (() => void) | null = null;
  /** Of our own direction. */
  #end: "open" | "due" | "sent" = "open";
  #endIsError = false;
  #peerEnded = false;
  #closed = false;
  #failure: MtrayError | null = null;
  /** Why nothing can be sent, though more may come. */
  #unwritable: MtrayError | null = null;
  #wake: (() => void) | null = null;

  /** @param opening absent where the peer opened the session */
  constructor(line: Line, id: number, opening?: Opening) {
    super();
    this.#line = line;
    this.id = id;
    this.halfCloses = opening === undefined;
    if (opening === undefined) return;
    this.#announcement = encodeDestination("tcp", opening.target);
    this.#firstTimer = setTimeout(() => this.#announce(), opening.firstPayload);
  }

  // What the application does.

  protected async wait(): Promise<boolean> {
    for (;;) {
      if (this.#unread.length > 0) return true;
      if (this.#peerEnded) return false;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  take(): Uint8Array {
    const bytes = this.#unread.take();
    this.#line.kept(this, -bytes.length);
    return bytes;
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    const failure = this.#failure ?? this.#unwritable;
    if (failure !== null) return Promise.reject(failure);
    if (this.#write !== null || this.#finishing) {
      return Promise.reject(new MtrayError("protocol", "cannot write: another write or an end came before"));
    }
    const length = a.length + (b?.length ?? 0);
    if (length === 0) return;
    return new Promise((resolve, reject) => {
      this.#write = { a, b, at: 0, length, resolve, reject };
      this.#line.queue(this);
    });
  }

  closeWrite(): Promise<void> | void {
    if (this.#failure !== null || this.#unwritable !== null || this.#finishing) return;
    this.#finishing = true;
    if (this.halfCloses || this.#peerEnded) this.#end = "due";
    else if (this.#announcement === null) return;
    else this.#announceNow = true;
    return new Promise((resolve) => {
      this.#flushed = resolve;
      this.#line.queue(this);
    });
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const over = this.#failure !== null;
    this.#stop(new MtrayError("closed", "the stream was closed"));
    const aborts = reason !== undefined;
    // An abort is told even after an end, unless the peer has ended too and nobody is there to be told.
    if (!over && this.#announcement === null && (this.#end === "open" || aborts && !this.#peerEnded)) {
      this.#endIsError = aborts;
      this.#end = "due";
      this.#line.queue(this);
    }
    this.#line.forget(this);
  }

  // What the carrier brings.

  get unread(): number {
    return this.#unread.length;
  }

  get full(): boolean {
    return this.#unread.length >= MOST_UNREAD && this.#failure === null;
  }

  deliver({ data }: Piece): void {
    if (data === null || data.length === 0 || this.#peerEnded || this.#failure !== null) return;
    this.#unread.push(data);
    this.#line.kept(this, data.length);
    this.#wakeReader();
  }

  peerEnds(error: boolean): void {
    // An Xray client that was sent an end answers with an error, though nothing is wrong.
    if (error && this.#end === "open") this.fail(new MtrayError("reset", "the peer aborted the session"));
    else if (this.#peerEnded) this.fail(new MtrayError("closed", "the peer has closed the session"));
    else this.#peerFinished();
  }

  carrierEnds(error: MtrayError): void {
    this.fail(error);
  }

  failWriting(error: MtrayError): void {
    // Whoever was never told of the session will not send anything.
    if (this.#announcement !== null) return this.fail(error);
    this.#unwritable ??= error;
    this.#dropWrite(error);
  }

  fail(error: MtrayError): void {
    this.#stop(error);
    this.#line.forget(this);
  }

  // What the carrier takes along.

  nextLength(): number {
    const data = this.#nextData();
    if (data > 0) return headLength(this.#announcement, true) + data;
    if (this.#announceNow) return headLength(this.#announcement, false);
    return this.#end === "due" ? END_LENGTH : 0;
  }

  put(into: Uint8Array): void {
    const length = this.#nextData();
    if (length === 0 && !this.#announceNow) {
      putEnd(into, this.id, this.#endIsError);
      this.#end = "sent";
      return;
    }
    const head = {
      id: this.id,
      status: this.#announcement === null ? "keep" as const : "new" as const,
      error: false,
      dataLength: length > 0 ? length : null,
    };
    const at = writeHead(into, head, this.#announcement);
    this.#announced();
    if (length > 0) this.#copyData(into.subarray(at, at + length));
  }

  sent(): void {
    const write = this.#write;
    if (write !== null && write.at === write.length) {
      this.#write = null;
      write.resolve();
    }
    if (this.nextLength() === 0) this.#settleFlush();
    if (this.#peerEnded && this.#end === "sent") this.#line.forget(this);
  }

  #peerFinished(): void {
    this.#peerEnded = true;
    if (this.#finishing && this.#end === "open") {
      this.#end = "due";
      this.#line.queue(this);
    }
    if (this.#end === "sent") this.#line.forget(this);
    this.#wakeReader();
  }

  /** Sends the first frame, though there is no data. */
  #announce(): void {
    this.#announceNow = true;
    this.#line.queue(this);
  }

  #announced(): void {
    clearTimeout(this.#firstTimer);
    this.#announcement = null;
    this.#announceNow = false;
  }

  #nextData(): number {
    return this.#write === null ? 0 : Math.min(FRAME, this.#write.length - this.#write.at);
  }

  /** The next bytes of the write, from both of its parts. */
  #copyData(into: Uint8Array): void {
    const write = this.#write;
    if (write === null) return;
    const { a, b, at } = write;
    const first = a.subarray(at, at + into.length);
    into.set(first);
    if (b !== undefined && first.length < into.length) {
      const from = at + first.length - a.length;
      into.set(b.subarray(from, from + into.length - first.length), first.length);
    }
    write.at += into.length;
  }

  /** Nothing more is sent or received; what was received stays. */
  #stop(failure: MtrayError): void {
    this.#failure ??= failure;
    clearTimeout(this.#firstTimer);
    this.#announceNow = false;
    if (this.#end === "due") this.#end = "open";
    this.#dropWrite(this.#failure);
    this.#wakeReader();
  }

  #dropWrite(failure: MtrayError): void {
    const write = this.#write;
    this.#write = null;
    write?.reject(failure);
    this.#settleFlush();
  }

  #settleFlush(): void {
    const flushed = this.#flushed;
    this.#flushed = null;
    flushed?.();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
