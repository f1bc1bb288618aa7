import { codeOf, describe } from "../errors.ts";
import { pause, sleepUntil } from "../runtime/waiting.ts";
import { IdleWatch } from "./idle.ts";
import type { ByteStream } from "./types.ts";

/**
 * How long a client that cannot be told of the far end's end (WebSocket) may keep the connection by silence, in
 * milliseconds: it may be waiting for that end, which it sees only when everything ends. V2Ray's own uplinkOnly.
 */
const UNTOLD = 1_000;

/** Milliseconds, each counted from the last byte either way. */
export interface RelayLimits {
  connIdle: number;
  /** Once the far end has finished. */
  uplinkOnly: number;
  /** Once the client has finished. */
  downlinkOnly: number;
}

export interface RelayCounts {
  /** From the client. */
  bytesUp: number;
  /** To the client. */
  bytesDown: number;
}

/**
 * Moves bytes both ways until both sides have finished. An end is passed on as an end; an abort on either side
 * aborts the other.
 */
export class Relay {
  readonly #client: ByteStream;
  readonly #far: ByteStream;
  #limits!: RelayLimits;
  #counts!: RelayCounts;
  #watch!: IdleWatch;
  #tell!: (reason: string) => void;
  /** Directions that are not over, 0–2. */
  #moving = 2;
  /** Writes that are under way, 0–2. */
  #writing = 0;
  #stopped = false;
  /** Why something could not be sent. */
  #unsent: unknown;
  #reason: string | undefined;

  constructor(client: ByteStream, far: ByteStream) {
    this.#client = client;
    this.#far = far;
  }

  /**
   * Call it once. Both streams are closed in every case.
   *
   * @param counts grown as bytes pass
   * @param first goes to the far end before anything else, and is not counted
   * @returns "finished", or why it ended early; never rejects
   */
  run(limits: RelayLimits, counts: RelayCounts, first?: Uint8Array): Promise<string> {
    this.#limits = limits;
    this.#counts = counts;
    this.#watch = new IdleWatch(limits.connIdle, () => this.#end("idle"));
    return new Promise((resolve) => {
      this.#tell = resolve;
      this.#move(this.#client, this.#far, first);
      this.#move(this.#far, this.#client);
    });
  }

  /** Reads no more. Writes that are under way may finish, then both sides see an end. */
  stop(): void {
    this.#stopped = true;
    if (this.#writing === 0) this.#end("mtray is stopping");
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#client.close();
    this.#far.close();
  }

  /** When we end it ourselves both sides see an end; what the streams then complain about is no news. */
  #abort(error: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = codeOf(error) === "reset" ? "reset by a peer" : describe(error);
    this.#client.close(error);
    this.#far.close(error);
  }

  /**
   * One direction. Whoever takes no more may have said something before, and it is still to be read: a site that
   * answers and closes while the question is being sent. So what cannot be sent ends this direction only; the other
   * one goes on until it ends by itself, which it does soon. Never rejects.
   */
  async #move(from: ByteStream, to: ByteStream, first?: Uint8Array): Promise<void> {
    try {
      let writing = first !== undefined && first.length > 0 ? to.write(first) : undefined;
      // What is named here is held for as long as the connection lives.
      first = undefined;
      for (;;) {
        if (writing !== undefined) {
          this.#writing++;
          try {
            await writing;
          } catch (error) {
            this.#unsent ??= error;
            return this.#finished(from);
          } finally {
            this.#writing--;
          }
          if (this.#stopped) return this.stop();
        }
        if (!await from.ready()) break;
        writing = this.#pass(from, to);
      }
      await this.#passEnd(to);
      this.#finished(from);
    } catch (error) {
      this.#abort(error);
    } finally {
      if (--this.#moving === 0) this.#over();
    }
  }

  /** Both directions have ended, each in its own way. */
  #over(): void {
    this.#watch.stop();
    if (this.#unsent !== undefined) this.#abort(this.#unsent);
    this.#end("finished");
    this.#tell(this.#reason!);
  }

  async #passEnd(to: ByteStream): Promise<void> {
    // Where the other direction cannot send any more, this end is half of an abort, and will be passed on as one.
    // The two are told at about the same moment.
    if (this.#writing > 0) await pause(0);
    if (this.#unsent !== undefined) return;
    try {
      await to.closeWrite();
    } catch (error) {
      this.#unsent ??= error;
    }
  }

  /** A function of its own, so that nothing holds the bytes while the direction waits. */
  #pass(from: ByteStream, to: ByteStream): Promise<void> | void {
    const bytes = from.take();
    if (bytes.length === 0) return;
    if (from === this.#client) this.#counts.bytesUp += bytes.length;
    else this.#counts.bytesDown += bytes.length;
    this.#watch.touch();
    return to.write(bytes);
  }

  /** One side has no more to say, or is not heard any more: the other has so long to finish. */
  #finished(from: ByteStream): void {
    const { uplinkOnly, downlinkOnly } = this.#limits;
    if (from === this.#client) this.#watch.restart(downlinkOnly);
    else this.#watch.restart(this.#client.halfCloses ? uplinkOnly : Math.min(uplinkOnly, UNTOLD));
  }
}

/**
 * Reads and forgets, so that a peer learns nothing and fills no memory, until it ends or the deadline comes.
 *
 * @param deadline milliseconds of the monotonic clock
 * @param most bytes that are read; afterwards the peer may only fill the kernel's buffers
 */
export async function discard(stream: ByteStream, deadline: number, most: number): Promise<void> {
  try {
    for (let left = most; left > 0;) {
      if (await stream.readyBefore(deadline) !== true) return;
      left -= stream.take().length;
    }
  } catch {
    return;
  }
  await sleepUntil(deadline);
}
