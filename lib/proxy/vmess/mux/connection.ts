import { codeOf, describe, MtrayError } from "../../../errors.ts";
import { IdleWatch } from "../../../stream/idle.ts";
import type { ByteStream } from "../../../stream/types.ts";
import { EndTurn } from "./end_turn.ts";
import { FrameReader, type ReadHead } from "./frame.ts";
import { FrameWriter } from "./frame_writer.ts";
import type { CarriedSession, Line, Turn } from "./types.ts";

/** Turns that may wait: more than there are sessions, by the ends of those that are over. */
const MOST_TURNS = 4096;

/** Bytes that may wait for the readers of all sessions together. A single one may lag 256 KiB behind. */
export const MOST_KEPT = 4 << 20;

export interface ConnectionOptions {
  /** Without a session for that long it is closed. Milliseconds. */
  idle: number;
  /** Adds the session that the peer asks for. Null: it is not wanted. Absent where peers cannot ask. */
  accept?(head: ReadHead): CarriedSession | null;
}

/** One carrier and its sessions. */
export class MuxConnection implements Line {
  readonly #carrier: ByteStream;
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #sessions = new Map<number, CarriedSession>();
  /** Ids of which the peer is about to be told that they are not known. */
  readonly #unknown = new Set<number>();
  /** Whom the data of the frame that is being read is for. */
  #receiver: CarriedSession | null = null;
  #idle: IdleWatch | null = null;
  #closesWhenEmpty = false;
  #over: MtrayError | null = null;
  #broke = false;
  #writeFailure: MtrayError | null = null;
  #resume: (() => void) | null = null;
  /** Bytes that wait for the readers of all sessions. */
  #kept = 0;

  /** @param carrier is the connection's own from now on */
  constructor(carrier: ByteStream, options: ConnectionOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.#writer = new FrameWriter(carrier, (error) => this.#failWriting(error));
    this.#watchIdle();
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Why it cannot take another session. */
  get unusable(): MtrayError | null {
    return this.#over ?? this.#writeFailure;
  }

  /**
   * Reads until the carrier ends; every session has then ended too. Call it once.
   *
   * @throws {MtrayError} `protocol` for bytes that are no frames, otherwise what the carrier broke with
   */
  async run(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.#break(error);
    }
    if (this.#broke) throw this.#over;
  }

  add(session: CarriedSession): void {
    this.#sessions.set(session.id, session);
    this.#idle?.stop();
    this.#idle = null;
  }

  /** No session will be added: it closes when the last one is over and what that said is sent. */
  closeWhenEmpty(): void {
    this.#closesWhenEmpty = true;
    if (this.#sessions.size === 0) this.#empty();
  }

  /** Ends the carrier in order, and the sessions for that reason. Harmless when it is over. */
  close(reason: MtrayError): void {
    if (this.#over !== null) return;
    this.#over = reason;
    this.#stop();
    for (const session of [...this.#sessions.values()]) session.carrierEnds(reason);
    this.#carrier.close();
  }

  queue(turn: Turn): void {
    if (this.#writeFailure !== null) return;
    this.#writer.add(turn);
    if (this.#writer.waiting > MOST_TURNS) {
      this.#break(new MtrayError("protocol", "the peer opens sessions and takes no answers"));
    }
  }

  kept(session: CarriedSession, bytes: number): void {
    if (this.#sessions.get(session.id) !== session) return;
    this.#kept += bytes;
    if (bytes < 0) this.#goOn();
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  forget(session: CarriedSession): void {
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    this.#kept -= session.unread;
    this.#goOn();
    if (this.#sessions.size === 0 && this.#over === null) this.#empty();
  }

  async #read(): Promise<void> {
    while (this.#over === null) {
      if (!await this.#carrier.ready()) {
        if (this.#reader.inside) throw new MtrayError("closed", "it ended inside a frame");
        return this.close(new MtrayError("closed", "the connection that carried the session has ended"));
      }
      this.#reader.feed(this.#carrier.take());
      while (this.#over === null && this.#handleNext()) {
        // Nothing is read for the others either while one reader lags so far behind, or many a little.
        while ((this.#receiver?.full || this.#kept >= MOST_KEPT) && this.#over === null) {
          await new Promise<void>((resolve) => this.#resume = resolve);
        }
      }
    }
  }

  /** @returns false when the carrier has to bring more */
  #handleNext(): boolean {
    const piece = this.#reader.next();
    if (piece === null) return false;
    const { head, first, left } = piece;
    if (first) this.#receiver = this.#receiverOf(head);
    this.#receiver?.deliver(piece);
    if (head.status === "end" && left === 0) this.#sessions.get(head.id)?.peerEnds(head.error);
    return true;
  }

  /** Null: what the frame holds is thrown away. */
  #receiverOf(head: ReadHead): CarriedSession | null {
    const session = this.#sessions.get(head.id) ?? null;
    switch (head.status) {
      case "new":
        return this.#accept(head, session);
      case "keep":
        if (session === null && head.dataLength !== null) this.#refuse(head.id, false);
        return session;
      case "end":
        return session;
      case "keep-alive":
        return null;
    }
  }

  #accept(head: ReadHead, existing: CarriedSession | null): CarriedSession | null {
    if (this.#options.accept === undefined) return null;
    if (existing !== null) throw new MtrayError("protocol", `the peer opens session ${head.id} twice`);
    const session = this.#options.accept(head);
    if (session === null) this.#refuse(head.id, true);
    return session;
  }

  #refuse(id: number, error: boolean): void {
    if (this.#unknown.has(id)) return;
    this.#unknown.add(id);
    this.queue(new EndTurn(id, error, () => this.#unknown.delete(id)));
  }

  /**
   * Whoever takes no more may have said something before, and it is still to be read. The reading half ends soon by
   * itself.
   */
  #failWriting(error: unknown): void {
    if (this.#over !== null) return;
    const failure = because(error);
    this.#writeFailure = failure;
    this.#writer.stop();
    for (const session of [...this.#sessions.values()]) session.failWriting(failure);
    if (this.#sessions.size === 0 && this.#closesWhenEmpty) this.#closeIdle();
  }

  #break(error: unknown): void {
    // When we ended it ourselves, what the carrier then complains about is no news.
    if (this.#over !== null) return;
    this.#over = because(error);
    this.#broke = true;
    this.#stop();
    for (const session of [...this.#sessions.values()]) session.fail(this.#over);
    this.#carrier.close(error);
  }

  #stop(): void {
    this.#writer.stop();
    this.#idle?.stop();
    this.#goOn();
  }

  #empty(): void {
    this.#watchIdle();
    if (!this.#closesWhenEmpty) return;
    if (this.#writeFailure !== null) this.#closeIdle();
    else this.#writer.whenIdle(() => this.#closeIdle());
  }

  #watchIdle(): void {
    this.#idle?.stop();
    this.#idle = new IdleWatch(this.#options.idle, () => this.#closeIdle());
  }

  #closeIdle(): void {
    this.close(new MtrayError("closed", "the multiplexed connection had no session"));
  }
}

function because(error: unknown): MtrayError {
  const why = `cannot go on with a multiplexed connection: ${describe(error)}`;
  return new MtrayError(codeOf(error), why, { cause: error });
}
