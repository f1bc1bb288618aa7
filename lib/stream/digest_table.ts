/** Digests in one generation; two are remembered. */
export const GENERATION = 65_536;
/** Slots of a generation: half of them stay empty, so that a search is short. A power of two. */
const SLOTS = 2 * GENERATION;
/** A digest is four 32-bit words. */
const WORDS = 4;
/** Where it stands how many digests were added, by all threads. The slots lie in cache lines of their own. */
const TOTAL = 0, HEADER = 16;
/** The part of a word that says which generation wrote it. */
const TAG = 0xff;
/** A word that was written so few generations after ours says that we have fallen behind. */
const NEWER = 16;

/** 32-bit words that a table needs, all zero at first. */
export const DIGEST_WORDS = HEADER + 2 * SLOTS * WORDS;

/**
 * What became of a word that was to be written: it was free and holds ours now; it holds the same; it is another
 * digest's; it is a newer generation's, so that what this call knows is out of date.
 */
const FIRST = 0, SAME = 1, OTHER = 2, BEHIND = 3;

/**
 * Remembers digests, by number and not by time: whoever has seen 65,536 newer ones may forget. It tells replays from
 * first uses, so its keys must be digests that only the owner of a secret can make.
 *
 * Everything is in one buffer of fixed size, so that it costs the same on the first day and in a flood. Several threads
 * may share it, each with an object of its own. Of those who add the same digest one is told that it is new, whatever
 * the others do meanwhile, and nobody waits for anybody:
 *
 * Every word of a slot carries a part of the digest, 24 bits, and the number of the generation that wrote it. A word of
 * an earlier generation counts as empty, so that nothing is ever cleared. The words of a slot are settled one after
 * the other, each by one compare-and-exchange: whoever finds a word that is not its own goes on to the next slot, and
 * whoever finds its own goes on to the next word. So the words of a slot always belong together, and whoever writes the
 * last one was first.
 *
 * Which generation it is follows from how many digests were added. One that was added while the generation turned may
 * have been overlooked by those who were early in the new one: it is added there again, and must be the first there.
 */
export class DigestTable {
  readonly #words: Int32Array;
  /** Of the digest at hand, each with an empty tag, and where its search begins. */
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #start = 0;

  /** @param words DIGEST_WORDS of them, shared or not */
  constructor(words: Int32Array = new Int32Array(DIGEST_WORDS)) {
    this.#words = words;
  }

  /**
   * @param digest at least 16 bytes, of which the first 16 count
   * @returns false when it is already known; it is remembered either way
   */
  add(digest: Uint8Array): boolean {
    this.#read(digest);
    // The generation in which this call was the first, which is not yet enough.
    let first: number | undefined;
    for (;;) {
      const generation = this.#generation();
      if (generation - 1 !== first && this.#find(generation - 1)) return false;
      const last = this.#put(generation);
      if (last === BEHIND) continue;
      if (last === SAME) return false;
      if (this.#generation() === generation) break;
      first = generation;
    }
    Atomics.add(this.#words, TOTAL, 1);
    return true;
  }

  /** Whether a digest is known. */
  has(digest: Uint8Array): boolean {
    this.#read(digest);
    const generation = this.#generation();
    return this.#find(generation) || this.#find(generation - 1);
  }

  /** Counted from two: what was never written is of a generation that nobody looks for. */
  #generation(): number {
    return ((Atomics.load(this.#words, TOTAL) >>> 0) / GENERATION | 0) + 2;
  }

  /** Takes a digest apart. The last byte of a word makes room for the tag, and is mixed into another word. */
  #read(digest: Uint8Array): void {
    const a = word(digest, 0), b = word(digest, 4), c = word(digest, 8), d = word(digest, 12);
    this.#start = a & (SLOTS - 1);
    this.#a = (a & ~TAG) ^ (b & TAG) << 8 ^ (c & TAG) << 16 ^ (d & TAG) << 24;
    this.#b = (b & ~TAG) ^ (a & TAG) << 8;
    this.#c = c & ~TAG;
    this.#d = d & ~TAG;
  }

  #find(generation: number): boolean {
    const words = this.#words;
    const tag = generation & TAG;
    const base = baseOf(generation);
    for (let i = this.#start;; i = (i + 1) & (SLOTS - 1)) {
      const slot = base + i * WORDS;
      const a = Atomics.load(words, slot);
      if ((a & TAG) !== tag) return false;
      if (
        a === (this.#a | tag) && Atomics.load(words, slot + 1) === (this.#b | tag) &&
        Atomics.load(words, slot + 2) === (this.#c | tag) && Atomics.load(words, slot + 3) === (this.#d | tag)
      ) return true;
    }
  }

  /** Writes the digest, unless it is there. @returns what became of its last word; never OTHER */
  #put(generation: number): number {
    const base = baseOf(generation);
    for (let i = this.#start;; i = (i + 1) & (SLOTS - 1)) {
      const slot = base + i * WORDS;
      let settled = this.#settle(slot, this.#a, generation);
      if (settled < OTHER) settled = this.#settle(slot + 1, this.#b, generation);
      if (settled < OTHER) settled = this.#settle(slot + 2, this.#c, generation);
      if (settled < OTHER) settled = this.#settle(slot + 3, this.#d, generation);
      if (settled !== OTHER) return settled;
    }
  }

  #settle(at: number, bare: number, generation: number): number {
    const words = this.#words;
    const tag = generation & TAG;
    const value = bare | tag;
    for (let seen = Atomics.load(words, at);;) {
      if (seen === value) return SAME;
      const age = (seen - tag) & TAG;
      if (age === 0) return OTHER;
      // In the same generation the tag is only so old that it has come round.
      if (age < NEWER && this.#generation() !== generation) return BEHIND;
      const was = Atomics.compareExchange(words, at, seen, value);
      if (was === seen) return FIRST;
      seen = was;
    }
  }
}

function baseOf(generation: number): number {
  return HEADER + (generation & 1) * SLOTS * WORDS;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
}
