import { MtrayError } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import type { ByteStream, timedOut } from "../../stream/types.ts";
import { type BodyLength, formatHead, LONGEST_HEAD, parseHead, withoutHops } from "./head.ts";
import { Chunks } from "./chunks.ts";

/**
 * A client's stream for one request and its response. What is read is the body of the request and no byte of a next
 * one; what is written is the response, whose head is made to say that the connection ends with it.
 */
export class Exchange implements ByteStream {
  readonly halfCloses: boolean;
  readonly #client: ByteStream;
  readonly #body: Body;
  readonly #noResponse: Uint8Array;
  /** The beginning of a response, while its head has no end; null once it has been passed on. */
  #head: Uint8Array | null = new Uint8Array();
  /** Whoever waits for more of the body. */
  #reader: { resolve(more: boolean): void; reject(error: unknown): void } | null = null;
  /** Nobody is interested in the request any more. */
  #over = false;

  /**
   * @param body how long the request's is
   * @param noResponse what the client is told when the far end ends without a response
   */
  constructor(client: ByteStream, { body, noResponse }: { body: BodyLength; noResponse: Uint8Array }) {
    this.halfCloses = client.halfCloses;
    this.#client = client;
    this.#body = new Body(body);
    this.#noResponse = noResponse;
  }

  ready(): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      // A next request is read, too, and forgotten: closing over it would be a reset, which may overtake the response.
      this.#client.ready().then(resolve, reject);
    });
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    return this.#client.readyBefore(deadline);
  }

  take(room = 0): Uint8Array {
    const bytes = this.#client.take(room);
    return bytes.subarray(0, this.#body.feed(bytes));
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (this.#head === null) return this.#client.write(a, b);
    const bytes = b === undefined ? concat(this.#head, a) : concat(this.#head, a, b);
    let head: Uint8Array, body: Uint8Array | undefined;
    try {
      [head, body] = this.#responseOf(bytes);
    } catch (error) {
      return this.#giveUp(error);
    }
    if (head.length > 0) return this.#client.write(head, body);
  }

  async closeWrite(): Promise<void> {
    await this.#sayNoResponse();
    await this.#client.closeWrite();
    this.#finish();
  }

  close(reason?: unknown): void {
    this.#client.close(reason);
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#reader?.resolve(false);
    this.#reader = null;
  }

  async #sayNoResponse(): Promise<void> {
    if (this.#head === null) return;
    this.#head = null;
    await this.#client.write(this.#noResponse.slice());
  }

  async #giveUp(error: unknown): Promise<never> {
    await this.closeWrite();
    throw error;
  }

  /** The part of a response that can be passed on: interim ones, the final head, and what of the body is there. */
  #responseOf(bytes: Uint8Array): [Uint8Array, Uint8Array?] {
    const interim: Uint8Array[] = [];
    for (let at = 0;;) {
      const head = parseHead(bytes.subarray(at));
      if (head === null) {
        if (bytes.length - at > LONGEST_HEAD) {
          throw new MtrayError("protocol", "cannot pass the response on: its head is too long");
        }
        this.#head = bytes.slice(at);
        return [concat(...interim)];
      }
      at += head.used;
      if (!/^HTTP\/1\.[01]$/.test(head.first[0])) {
        throw new MtrayError("protocol", "cannot pass the response on: it is not HTTP/1");
      }
      const headers = withoutHops(head.headers);
      if (/^1(?!01)[0-9][0-9]$/.test(head.first[1])) {
        interim.push(formatHead(head.first, headers));
        continue;
      }
      this.#head = null;
      interim.push(formatHead(head.first, [...headers, ["Connection", "close"]]));
      return [concat(...interim), bytes.subarray(at)];
    }
  }
}

/** Counts what belongs to a request's body. */
class Body {
  readonly #chunks: Chunks | null;
  /** Of a body whose length is known, in bytes. */
  #left: number;

  constructor(length: BodyLength) {
    this.#chunks = length === "chunked" ? new Chunks() : null;
    this.#left = length === "chunked" ? 0 : length;
  }

  /** @returns how many of the bytes belong to it */
  feed(bytes: Uint8Array): number {
    const used = this.#chunks === null ? Math.min(this.#left, bytes.length) : this.#chunks.feed(bytes);
    if (this.#chunks === null) this.#left -= used;
    return used;
  }
}
