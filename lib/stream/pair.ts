import { MtrayError } from "../errors.ts";
import { WaitingStream } from "../runtime/waiting.ts";
import type { ByteStream } from "./types.ts";

/** Two ends of a connection in memory, with the manners of a TCP connection: bounded, half-closing, abortable. */
export function memoryPair(capacity = 64 << 10): [ByteStream, ByteStream] {
  const there = new Direction(capacity);
  const back = new Direction(capacity);
  return [new MemoryStream(back, there), new MemoryStream(there, back)];
}

/** Bytes on their way from one end to the other. */
class Direction {
  readonly #capacity: number;
  #pieces: Uint8Array[] = [];
  #size = 0;
  ended = false;
  failure: MtrayError | null = null;
  #wake: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get full(): boolean {
    return this.#size >= this.#capacity;
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    this.wake();
  }

  shift(): Uint8Array {
    const bytes = this.#pieces.shift() ?? new Uint8Array();
    this.#size -= bytes.length;
    this.wake();
    return bytes;
  }

  fail(failure: MtrayError, forget: boolean): void {
    this.failure ??= failure;
    if (forget) this.#pieces = [];
    this.wake();
  }

  change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

class MemoryStream extends WaitingStream implements ByteStream {
  readonly halfCloses = true;
  #closed = false;

  constructor(private readonly incoming: Direction, private readonly outgoing: Direction) {
    super();
  }

  protected async wait(): Promise<boolean> {
    for (;;) {
      if (!this.incoming.empty) return true;
      if (this.incoming.ended) return false;
      if (this.incoming.failure !== null) throw this.incoming.failure;
      await this.incoming.change();
    }
  }

  take(room = 0): Uint8Array {
    const bytes = this.incoming.shift();
    if (room === 0) return bytes;
    const copy = new Uint8Array(room + bytes.length);
    copy.set(bytes, room);
    return copy.subarray(room);
  }

  async write(a: Uint8Array, b?: Uint8Array): Promise<void> {
    const joined = new Uint8Array(a.length + (b?.length ?? 0));
    joined.set(a);
    if (b !== undefined) joined.set(b, a.length);
    while (this.outgoing.full && this.outgoing.failure === null) await this.outgoing.change();
    if (this.outgoing.failure !== null) throw this.outgoing.failure;
    this.outgoing.push(joined);
  }

  closeWrite(): void {
    if (this.#closed) return;
    this.outgoing.ended = true;
    this.outgoing.wake();
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const ours = new MtrayError("closed", "the stream was closed");
    if (reason !== undefined) {
      this.outgoing.fail(new MtrayError("reset", "the peer aborted the connection"), true);
    } else {
      this.outgoing.ended = true;
    }
    this.outgoing.failure ??= ours;
    this.outgoing.wake();
    this.incoming.fail(ours, false);
  }
}
