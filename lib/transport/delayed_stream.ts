import { MtrayError } from "../errors.ts";
import { WaitingStream } from "../runtime/waiting.ts";
import { limited } from "../stream/limit.ts";
import type { ByteStream } from "../stream/types.ts";

/** How long a reader may wait before the connection is made without a first write, in milliseconds. */
const PATIENCE = 100;
/** How long the connection may then take, in milliseconds. */
const CONNECT = 16_000;

/** Opens the stream; `early` goes with the request. */
export type Open = (early: Uint8Array, signal: AbortSignal) => Promise<ByteStream>;

/**
 * A stream that is opened by its first write, of which the beginning travels in the request. A reader who asks first
 * does not wait for a write that may never come.
 */
export class DelayedStream extends WaitingStream implements ByteStream {
  readonly halfCloses = false;
  readonly #most: number;
  readonly #open: Open;
  readonly #closing = new AbortController();
  #opening: Promise<ByteStream> | null = null;
  #stream: ByteStream | null = null;
  #failure: unknown = null;
  /** Tells a waiting reader that the stream is being opened. */
  #begun: () => void = () => {};

  /** @param most bytes of the first write that go into the request */
  constructor(most: number, open: Open) {
    super();
    this.#most = most;
    this.#open = open;
  }

  protected async wait(): Promise<boolean> {
    if (this.#stream !== null) return await this.#stream.ready();
    if (this.#opening === null && this.#failure === null) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#begun = resolve;
        timer = setTimeout(resolve, PATIENCE);
      });
      clearTimeout(timer);
    }
    return await (await this.#begin(new Uint8Array())).ready();
  }

  take(room = 0): Uint8Array {
    return this.#stream!.take(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (this.#stream !== null) return this.#stream.write(a, b);
    return this.#firstWrite(a, b);
  }

  async closeWrite(): Promise<void> {
    await (await this.#begin(new Uint8Array())).closeWrite();
  }

  close(reason?: unknown): void {
    if (this.#stream !== null) return this.#stream.close(reason);
    this.#failure ??= new MtrayError("closed", "the stream was closed");
    this.#closing.abort(this.#failure);
    this.#begun();
  }

  async #firstWrite(a: Uint8Array, b?: Uint8Array): Promise<void> {
    // Somebody else has begun: there is no request any more that this could travel in.
    if (this.#opening !== null || this.#failure !== null) {
      return await (await this.#begin(new Uint8Array())).write(a, b);
    }
    const early = new Uint8Array(Math.min(this.#most, a.length + (b?.length ?? 0)));
    const ofA = Math.min(a.length, early.length);
    early.set(a.subarray(0, ofA));
    if (b !== undefined) early.set(b.subarray(0, early.length - ofA), ofA);
    const stream = await this.#begin(early);
    const rest = b?.subarray(early.length - ofA);
    if (ofA < a.length) await stream.write(a.subarray(ofA), rest);
    else if (rest !== undefined && rest.length > 0) await stream.write(rest);
  }

  #begin(early: Uint8Array): Promise<ByteStream> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#opening ??= this.#connect(early);
    this.#begun();
    return this.#opening;
  }

  async #connect(early: Uint8Array): Promise<ByteStream> {
    const limit = limited(this.#closing.signal, CONNECT);
    try {
      const stream = await this.#open(early, limit.signal);
      if (this.#failure !== null) {
        stream.close();
        throw this.#failure;
      }
      return this.#stream = stream;
    } catch (error) {
      throw this.#failure ??= error;
    } finally {
      limit.done();
    }
  }
}
