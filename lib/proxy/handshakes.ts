/** The unfinished handshakes of one inbound. When there are too many the oldest goes, for it is the least likely one. */
export class Handshakes {
  readonly #ends = new Set<() => void>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param end ends the handshake, when its place is needed
   * @returns call it when the handshake is over, however it went; twice is harmless
   */
  enter(end: () => void): () => void {
    if (this.#ends.size >= this.#most) {
      const [oldest] = this.#ends;
      this.#ends.delete(oldest);
      oldest();
    }
    // A function of its own, so that two entries are never the same one.
    const entry = () => end();
    this.#ends.add(entry);
    return () => this.#ends.delete(entry);
  }
}
