import type { ByteStream, timedOut } from "../../stream/types.ts";

/**
 * A connection to a data centre through a chain, where a hop says "connected" before it is, or for an address that
 * leads nowhere. It notices an address that was spoken to and ended without a word.
 */
export class DataCentreStream implements ByteStream {
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #answered: (answered: boolean) => void;
  #asked = false;
  #done = false;

  /** @param answered is told once, as soon as it is known */
  constructor(inner: ByteStream, answered: (answered: boolean) => void) {
    this.#inner = inner;
    this.#answered = answered;
    this.halfCloses = inner.halfCloses;
  }

  async ready(): Promise<boolean> {
    try {
      return this.#seen(await this.#inner.ready());
    } catch (error) {
      this.#seen(false);
      throw error;
    }
  }

  async readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    const more = await this.#inner.readyBefore(deadline);
    return typeof more === "boolean" ? this.#seen(more) : more;
  }

  take(room?: number): Uint8Array {
    return this.#inner.take(room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    this.#asked = true;
    return this.#inner.write(a, b);
  }

  closeWrite(): Promise<void> | void {
    return this.#inner.closeWrite();
  }

  close(reason?: unknown): void {
    // What we end ourselves says nothing about the address.
    this.#done = true;
    this.#inner.close(reason);
  }

  #seen(more: boolean): boolean {
    if (!this.#done && (more || this.#asked)) {
      this.#done = true;
      this.#answered(more);
    }
    return more;
  }
}
