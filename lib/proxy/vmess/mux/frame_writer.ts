import type { ByteStream } from "../../../stream/types.ts";
import type { Turn } from "./types.ts";

/** Bytes that are given to the carrier at a time: four full frames. */
const BATCH = 33 << 10;
/** A buffer begins with so many bytes, which is enough for a question or an answer. */
const LEAST_BUFFER = 512;

/**
 * The writing half of a carrier. Sessions take turns, one frame each, and what they have ready goes out as one write,
 * so that nobody waits for longer than the others need for a frame.
 *
 * It copies: a session that is closed may then settle its write at once, though the carrier is slow.
 */
export class FrameWriter {
  readonly #carrier: ByteStream;
  readonly #onFailure: (error: unknown) => void;
  /** Each at most once. */
  readonly #turns = new Set<Turn>();
  #buffer = new Uint8Array();
  #running = false;
  #stopped = false;
  #whenIdle: (() => void) | null = null;

  constructor(carrier: ByteStream, onFailure: (error: unknown) => void) {
    this.#carrier = carrier;
    this.#onFailure = onFailure;
  }

  /** Turns that wait. */
  get waiting(): number {
    return this.#turns.size;
  }

  add(turn: Turn): void {
    if (this.#stopped) return;
    this.#turns.add(turn);
    if (!this.#running) void this.#run();
  }

  /** Calls back when nothing waits any more, now or later. */
  whenIdle(callback: () => void): void {
    if (this.#stopped) return;
    if (this.#running) this.#whenIdle = callback;
    else callback();
  }

  /** Writes no more. */
  stop(): void {
    this.#stopped = true;
    this.#turns.clear();
    this.#whenIdle = null;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#turns.size > 0) {
        const [batch, length] = this.#collect();
        if (length === 0) continue;
        await this.#carrier.write(this.#buffer.subarray(0, length));
        for (const turn of batch) turn.sent();
      }
    } catch (error) {
      this.#onFailure(error);
    }
    this.#running = false;
    this.#buffer = new Uint8Array();
    const idle = this.#whenIdle;
    this.#whenIdle = null;
    idle?.();
  }

  /** One round and more, as long as there is space. */
  #collect(): [Set<Turn>, number] {
    const batch = new Set<Turn>();
    let length = 0;
    for (const turn of this.#turns) {
      const next = turn.nextLength();
      if (next > 0 && length > 0 && length + next > BATCH) break;
      this.#turns.delete(turn);
      if (next === 0) continue;
      this.#need(length, length + next);
      turn.put(this.#buffer.subarray(length, length + next));
      length += next;
      batch.add(turn);
      // Added anew it comes last, and is met again in this loop when all others have had their turn.
      this.#turns.add(turn);
    }
    return [batch, length];
  }

  #need(used: number, length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(length, Math.min(BATCH, 2 * this.#buffer.length), LEAST_BUFFER));
    larger.set(this.#buffer.subarray(0, used));
    this.#buffer = larger;
  }
}
