import { codeOf, MtrayError } from "../../errors.ts";
import { type ByteStream, timedOut } from "../../stream/types.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { ResponseOpener } from "./response.ts";

export interface IncomingOptions {
  /** Null: the body is a bare stream. */
  reader: ChunkReader | null;
  /** What the peer's bytes begin with, where it is a server. */
  response?: ResponseOpener;
  /** What a handshake read too far. */
  first?: Uint8Array;
  /** The error for a server that ends a connection without any answer. */
  unanswered?: () => MtrayError;
  /** Is told when a server has answered. */
  answered?: () => void;
}

/** The direction of a connection that comes from the peer: when there is something, and where it ends. */
export class Incoming {
  readonly #inner: ByteStream;
  readonly #reader: ChunkReader | null;
  readonly #unanswered: (() => MtrayError) | undefined;
  readonly #answered: (() => void) | undefined;
  #response: ResponseOpener | null;
  #first: Uint8Array | null;
  #failure: unknown;
  #closed = false;

  constructor(inner: ByteStream, { reader, response, first, unanswered, answered }: IncomingOptions) {
    this.#inner = inner;
    this.#reader = reader;
    this.#response = response ?? null;
    this.#first = first !== undefined && first.length > 0 ? first : null;
    this.#unanswered = unanswered;
    this.#answered = answered;
  }

  ready(): Promise<boolean> {
    return this.#known() ?? this.#inner.ready().then(this.#came, this.#broke);
  }

  async readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    const known = this.#known();
    if (known !== null) return await known;
    const more = await this.#inner.readyBefore(deadline).catch(this.#broke);
    return more === timedOut ? more : this.#came(more);
  }

  /** Bytes of the body; none while the answer's header is not complete. As `take` of ByteStream. */
  take(room: number): Uint8Array {
    const bytes = this.#take(room);
    const response = this.#response;
    if (response === null) return bytes;
    const rest = this.#try(() => response.read(bytes));
    if (rest === null) return new Uint8Array(room).subarray(room);
    this.#response = null;
    this.#answered?.();
    return rest;
  }

  /** What `read` returns. When it throws, nothing can be read any more. */
  decode<T>(read: () => T): T {
    return this.#try(read);
  }

  /** The end is ours from now on. */
  close(): void {
    this.#closed = true;
  }

  /** The next answer of `ready`, where the inner stream does not have to be asked. */
  #known(): Promise<boolean> | null {
    this.#reader?.release();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const reader = this.#reader;
    if (this.#first !== null || reader?.waiting) return Promise.resolve(true);
    return reader?.ended ? Promise.resolve(false) : null;
  }

  readonly #came = (more: boolean): boolean => {
    if (more) return true;
    // Many servers just end the connection: an end where a chunk may end is an end of the body.
    if (this.#response !== null) {
      throw this.#response.begun ? cutOff("the answer's header") : this.#withoutAnswer();
    }
    if (this.#reader?.inside) throw cutOff("a chunk");
    return false;
  };

  readonly #broke = (error: unknown): never => {
    const refused = codeOf(error) === "reset" && !this.#closed && this.#response?.begun === false;
    throw refused ? this.#withoutAnswer() : error;
  };

  #withoutAnswer(): MtrayError {
    return this.#failed(this.#unanswered?.() ?? cutOff("the answer's header")) as MtrayError;
  }

  #take(room: number): Uint8Array {
    const first = this.#first;
    if (first === null) return this.#inner.take(room);
    this.#first = null;
    if (room === 0) return first;
    const copy = new Uint8Array(room + first.length);
    copy.set(first, room);
    return copy.subarray(room);
  }

  #try<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): unknown {
    return this.#failure = error;
  }
}

function cutOff(what: string): MtrayError {
  return new MtrayError("closed", `the connection ended inside ${what}`);
}
