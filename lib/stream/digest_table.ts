/** Digests in one generation; two are remembered. */
export const GENERATION = 65_536;
/** Slots of a generation: half of them stay empty, so that a search is short. */
const SLOTS = 2 * GENERATION;
/** A digest is four 32-bit words. */
const WORDS = 4;
/** Words in front of the slots: the current generation, and how many digests it holds. */
const CURRENT = 0, COUNT = 1, HEADER = 2;

/**
 * Remembers digests, by number and not by time: whoever has seen 65,536 newer ones may forget. It tells replays from
 * first uses, so its keys must be digests that only the owner of a secret can make.
 *
 * Everything is in one buffer of fixed size, so that it costs the same on the first day and in a flood.
 */
export class DigestTable {
  readonly #words: Uint32Array;

  constructor() {
    this.#words = new Uint32Array(HEADER + 2 * SLOTS * WORDS);
  }

  /**
   * @param digest at least 16 bytes, of which the first 16 count
   * @returns false when it is already known; it is remembered either way
   */
  add(digest: Uint8Array): boolean {
    const [a, b, c, d] = wordsOf(digest);
    const current = this.#words[CURRENT];
    const slot = this.#find(current, a, b, c, d);
    if (slot < 0 || this.#find(1 - current, a, b, c, d) < 0) return false;
    this.#words.set([a, b, c, d], slot);
    if (++this.#words[COUNT] === GENERATION) this.#turn();
    return true;
  }

  /** Whether a digest is known. */
  has(digest: Uint8Array): boolean {
    const [a, b, c, d] = wordsOf(digest);
    return this.#find(0, a, b, c, d) < 0 || this.#find(1, a, b, c, d) < 0;
  }

  /** @returns where the digest belongs, or -1 when it is there */
  #find(generation: number, a: number, b: number, c: number, d: number): number {
    const words = this.#words;
    const base = HEADER + generation * SLOTS * WORDS;
    for (let i = a % SLOTS;; i = (i + 1) % SLOTS) {
      const slot = base + i * WORDS;
      if (words[slot + 3] === 0) return slot;
      if (words[slot] === a && words[slot + 1] === b && words[slot + 2] === c && words[slot + 3] === d) {
        return -1;
      }
    }
  }

  /** The older generation is forgotten and becomes the new one. */
  #turn(): void {
    const next = 1 - this.#words[CURRENT];
    const base = HEADER + next * SLOTS * WORDS;
    this.#words.fill(0, base, base + SLOTS * WORDS);
    this.#words[CURRENT] = next;
    this.#words[COUNT] = 0;
  }
}

function wordsOf(digest: Uint8Array): [number, number, number, number] {
  const view = new DataView(digest.buffer, digest.byteOffset, 16);
  // The last bit tells a used slot from an empty one, so one bit of 128 is not compared.
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), (view.getUint32(12) | 1) >>> 0];
}
