/** The unfinished handshakes of one inbound. When there are too many the oldest goes, for it is the least likely one. */
export class Handshakes<Connection> {
  readonly #unfinished = new Set<Connection>();
  readonly #most: number;
  readonly #end: (connection: Connection) => void;

  /** @param end ends a handshake whose place is needed */
  constructor(most: number, end: (connection: Connection) => void) {
    this.#most = most;
    this.#end = end;
  }

  /** A handshake begins. */
  enter(connection: Connection): void {
    if (this.#unfinished.size >= this.#most) {
      const [oldest] = this.#unfinished;
      this.#unfinished.delete(oldest);
      this.#end(oldest);
    }
    this.#unfinished.add(connection);
  }

  /** It is over, however it went; twice is harmless. */
  leave(connection: Connection): void {
    this.#unfinished.delete(connection);
  }
}
