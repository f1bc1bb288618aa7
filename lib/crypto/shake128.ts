import { shake128 } from "@noble/hashes/sha3.js";

/** Bytes that are squeezed at once: a block of SHAKE128. More would be for nothing on most connections. */
const BATCH = 168;

/**
 * The output of SHAKE128 as numbers of 16 bits. Before the first one it holds nothing but the seed, since a direction
 * of a connection may never carry anything.
 */
export class Shake128 {
  readonly #seed: Uint8Array;
  #stream: ReturnType<typeof shake128.create> | null = null;
  #batch: Uint8Array = EMPTY;
  #at = 0;

  constructor(seed: Uint8Array) {
    this.#seed = seed.slice();
  }

  /** The next two bytes, the first one in the upper half: 0–65535. */
  next16(): number {
    if (this.#at === this.#batch.length) this.#squeeze();
    const at = this.#at;
    this.#at = at + 2;
    return this.#batch[at] << 8 | this.#batch[at + 1];
  }

  #squeeze(): void {
    if (this.#stream === null) {
      this.#stream = shake128.create({}).update(this.#seed);
      this.#batch = new Uint8Array(BATCH);
    }
    this.#stream.xofInto(this.#batch);
    this.#at = 0;
  }
}

const EMPTY = new Uint8Array();
