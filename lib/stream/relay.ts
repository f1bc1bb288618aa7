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
  async run(limits: RelayLimits, counts: RelayCounts, first?: Uint8Array): Promise<string> {
    const watch = new IdleWatch(limits.connIdle, () => this.#end("idle"));
    const up = this.#pump(
      this.#client,
      this.#far,
      (length) => {
        counts.bytesUp += length;
        watch.touch();
      },
      () => watch.restart(limits.downlinkOnly),
      first,
    );
    const down = this.#pump(
      this.#far,
      this.#client,
      (length) => {
        counts.bytesDown += length;
        watch.touch();
      },
      () => watch.restart(this.#client.halfCloses ? limits.uplinkOnly : Math.min(limits.uplinkOnly, UNTOLD)),
    );
    try {
      await Promise.all([up, down]);
      if (this.#unsent !== undefined) throw this.#unsent;
      this.#end("finished");
    } catch (error) {
      // When we end it ourselves both sides see an end; what the streams then complain about is no news.
      if (this.#reason === undefined) {
        this.#reason = codeOf(error) === "reset" ? "reset by a peer" : describe(error);
        this.#client.close(error);
        this.#far.close(error);
      }
      await Promise.allSettled([up, down]);
    } finally {
      watch.stop();
    }
    return this.#reason ?? "finished";
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

  async #pump(
    from: ByteStream,
    to: ByteStream,
    count: (length: number) => void,
    finished: () => void,
    first?: Uint8Array,
  ): Promise<void> {
    // A function of its own, so that nothing holds the bytes while this one waits.
    const pass = () => {
      const bytes = from.take();
      if (bytes.length === 0) return;
      count(bytes.length);
      return to.write(bytes);
    };
    if (first !== undefined && first.length > 0) {
      const writing = to.write(first);
      if (writing !== undefined) {
        this.#writing++;
        const sent = await this.#settled(writing);
        this.#writing--;
        if (!sent) return finished();
        if (this.#stopped) return this.stop();
      }
    }
    while (await from.ready()) {
      const writing = pass();
      if (writing === undefined) continue;
      this.#writing++;
      const sent = await this.#settled(writing);
      this.#writing--;
      if (!sent) return finished();
      if (this.#stopped) return this.stop();
    }
    // Where the other direction cannot send any more, this end is half of an abort, and will be passed on as one.
    // The two are told at about the same moment.
    if (this.#writing > 0) await pause(0);
    if (this.#unsent === undefined) {
      const closing = to.closeWrite();
      if (closing !== undefined) await this.#settled(closing);
    }
    finished();
  }

  /**
   * Whether something could be sent. Whoever takes no more may have said something before, and it is still to be
   * read: a site that answers and closes while the question is being sent. So that direction goes on until it ends
   * by itself, which it does soon, and only then do both.
   */
  async #settled(sending: Promise<void>): Promise<boolean> {
    try {
      await sending;
      return true;
    } catch (error) {
      this.#unsent ??= error;
      return false;
    }
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
