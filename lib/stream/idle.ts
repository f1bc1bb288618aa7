/** How often idle connections are looked for, in milliseconds. Limits are seconds; this is how late one may strike. */
const SWEEP = 500;

const watched = new Set<IdleWatch>();
let ticks = 0;
let sweeper: ReturnType<typeof setInterval> | undefined;

/**
 * Notices when a connection has carried nothing for too long. One timer serves them all and `touch` only stores a
 * number, because it is called for every piece of data.
 */
export class IdleWatch {
  #touched = ticks;
  #limit: number;
  readonly #onIdle: () => void;

  /** @param limit milliseconds */
  constructor(limit: number, onIdle: () => void) {
    this.#limit = limit;
    this.#onIdle = onIdle;
    watched.add(this);
    sweeper ??= setInterval(sweep, SWEEP);
  }

  touch(): void {
    this.#touched = ticks;
  }

  /** Begins anew, with another limit. */
  restart(milliseconds: number): void {
    this.#limit = milliseconds;
    this.touch();
  }

  stop(): void {
    watched.delete(this);
    if (watched.size > 0 || sweeper === undefined) return;
    clearInterval(sweeper);
    sweeper = undefined;
  }

  check(): void {
    // A tick may have begun just before the last byte: one more must pass.
    if ((ticks - this.#touched - 1) * SWEEP < this.#limit) return;
    this.stop();
    this.#onIdle();
  }
}

function sweep(): void {
  ticks++;
  for (const watch of watched) watch.check();
}
