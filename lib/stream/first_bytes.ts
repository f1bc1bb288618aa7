import { type ByteStream, timedOut } from "./types.ts";

/**
 * What a client sent so far, kept whole: until it is clear who it is, every byte may have to be handed to somebody
 * else.
 */
export class FirstBytes {
  #buffer = new Uint8Array(0);
  #length = 0;

  constructor(readonly stream: ByteStream) {}

  /** Everything so far. Valid until the next `more`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /**
   * Waits for more.
   *
   * @param deadline milliseconds of the monotonic clock
   * @returns true: there is more; false: the client finished sending; or the deadline passed
   */
  async more(deadline: number): Promise<boolean | typeof timedOut> {
    const more = await this.stream.readyBefore(deadline);
    if (more === true) this.#append(this.stream.take());
    return more;
  }

  /** A copy of what lies behind the first `used` bytes, for the wrapper that goes on from there. */
  after(used: number): Uint8Array {
    return this.bytes.slice(used);
  }

  /** Gives up the memory: nobody will ask for the bytes. */
  forget(): void {
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}
