import { MtrayError } from "../errors.ts";
import { WaitingStream } from "../runtime/waiting.ts";
import type { ByteStream } from "../stream/types.ts";
import { readHead } from "./http_head.ts";

/** How long a reader may wait before what should go with the first write is sent without one, in milliseconds. */
const PATIENCE = 100;

/**
 * A stream whose peer first says a head in HTTP, which is skipped, and which may begin with a head of its own in front
 * of the first write.
 */
export class SkippingStream extends WaitingStream implements ByteStream {
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #judge: (head: Uint8Array) => void;
  /** Goes out in front of the first write. */
  #greeting: Uint8Array | null;
  /** Whether the peer's head has been read. */
  #skipped = false;
  #first: Uint8Array | null = null;
  #failure: unknown = null;
  #greeted: Promise<void> | null = null;

  /** @param judge throws where the peer's head is not the expected one */
  constructor(inner: ByteStream, judge: (head: Uint8Array) => void, greeting?: Uint8Array) {
    super();
    this.#inner = inner;
    this.#judge = judge;
    this.#greeting = greeting ?? null;
    this.halfCloses = inner.halfCloses;
    // Unread, the peer's head would turn an early close into a reset.
    if (this.#greeting === null) this.readyBefore(0);
  }

  protected async wait(): Promise<boolean> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#first !== null) return true;
    if (this.#skipped) return await this.#inner.ready();
    // A peer that speaks first would never be heard: it waits for the greeting.
    const timer = this.#greeting === null ? undefined : setTimeout(() => this.#greet(), PATIENCE);
    try {
      const read = await readHead(this.#inner);
      this.#skipped = true;
      if (read === null) return false;
      this.#judge(read.head);
      if (read.rest.length === 0) return await this.#inner.ready();
      this.#first = read.rest;
      return true;
    } catch (error) {
      this.#failure = error;
      this.#inner.close(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  take(room = 0): Uint8Array {
    if (this.#first === null) return this.#inner.take(room);
    const first = this.#first;
    this.#first = null;
    if (room === 0) return first;
    const copy = new Uint8Array(room + first.length);
    copy.set(first, room);
    return copy.subarray(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (this.#greeted !== null) return this.#greeted.then(() => this.write(a, b));
    const greeting = this.#greeting;
    if (greeting === null) return this.#inner.write(a, b);
    this.#greeting = null;
    if (b === undefined || b.length === 0) return this.#inner.write(greeting, a);
    const both = new Uint8Array(greeting.length + a.length);
    both.set(greeting);
    both.set(a, greeting.length);
    return this.#inner.write(both, b);
  }

  closeWrite(): Promise<void> | void {
    if (this.#greeting !== null) this.#greet();
    if (this.#greeted !== null) return this.#greeted.then(() => this.#inner.closeWrite());
    return this.#inner.closeWrite();
  }

  close(reason?: unknown): void {
    this.#failure ??= new MtrayError("closed", "the stream was closed");
    this.#greeting = this.#first = null;
    this.#inner.close(reason);
  }

  #greet(): void {
    const greeting = this.#greeting;
    this.#greeting = null;
    if (greeting === null) return;
    const writing = this.#inner.write(greeting);
    if (writing === undefined) return;
    // Whoever waits for it sees the same failure in what it does next.
    this.#greeted = writing.catch(() => {}).then(() => {
      this.#greeted = null;
    });
  }
}
