import type { ConfigFile } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import { MtrayError } from "../errors.ts";
import { startThread } from "../runtime/mod.ts";
import type { Thread } from "../runtime/threads.ts";
import type { ProcessMemory } from "../shared/memory.ts";
import type { Failure, Order, Report, RouterDescription } from "./types.ts";

/** How long a worker may take to load the program or to bind its ports, in milliseconds: a slow card included. */
const START = 60_000;
/** How long it may take to stop: a little more than `App.stop` takes at most. */
const STOP = 4_000;

/** "auto" means no more than that. */
const MOST = 64;

/** How many routers a config asks for. */
export function routersOf({ workers }: Pick<Config, "workers">): number {
  return workers === "auto" ? Math.min(navigator.hardwareConcurrency, MOST) : workers;
}

/**
 * The routers beside that of the main thread, each in a thread of its own. They share its ports and its memory, and
 * they start, stop and fall with it. With one router there are none, and nothing is started.
 */
export class Crew {
  /** Rejects as soon as a worker is of no use any more: the others are not to go on without it. */
  readonly failed: Promise<never>;
  readonly #members: Member[];

  /**
   * Starts the threads, which load the program and build everything, but bind nothing yet.
   *
   * @param files the config, which has been checked
   */
  constructor(files: readonly ConfigFile[], memory: ProcessMemory) {
    const failure = Promise.withResolvers<never>();
    this.failed = failure.promise;
    // Nobody need listen.
    this.failed.catch(() => {});
    const numbers = Array.from({ length: memory.routers - 1 }, (_, i) => i + 2);
    this.#members = numbers.map((number) => new Member(number, { files, memory, failed: failure.reject }));
  }

  /** What the routers run on, once all are built. */
  prepared(): Promise<RouterDescription[]> {
    return this.#all((member) => member.prepared, START);
  }

  /** Settles when all of them take connections. Rejects as `App.start` does. */
  async listen(ports: readonly number[]): Promise<void> {
    await this.prepared();
    for (const member of this.#members) member.order({ kind: "listen", ports });
    await this.#all((member) => member.listening, START);
  }

  /** Settles when all of them have stopped, or should have. */
  async stop(): Promise<void> {
    for (const member of this.#members) member.order({ kind: "stop" });
    await this.#all((member) => member.stopped, STOP).catch(() => {});
    this.end();
  }

  /** Ends the threads, whatever they do. */
  end(): void {
    for (const member of this.#members) member.end();
  }

  async #all<T>(what: (member: Member) => Promise<T>, limit: number): Promise<T[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new MtrayError("timed-out", "cannot go on: a worker does not answer");
      if (this.#members.length > 0) timer = setTimeout(reject, limit, error);
    });
    try {
      return await Promise.race([Promise.all(this.#members.map(what)), this.failed, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a worker is given, and who is told when it fails. */
interface Charge {
  files: readonly ConfigFile[];
  memory: ProcessMemory;
  failed(error: Error): void;
}

class Member {
  readonly #thread: Thread;
  readonly #number: number;
  readonly #charge: Charge;
  readonly #prepared = Promise.withResolvers<RouterDescription>();
  readonly #listening = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  /** @param number the main thread's router is number one */
  constructor(number: number, charge: Charge) {
    this.#number = number;
    this.#charge = charge;
    this.#thread = startThread({
      said: (report) => this.#hear(report as Report),
      failed: (error) => charge.failed(new Error(`worker ${number} failed`, { cause: error })),
    });
  }

  get prepared(): Promise<RouterDescription> {
    return this.#prepared.promise;
  }

  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  order(order: Order): void {
    this.#thread.post(order);
  }

  end(): void {
    this.#thread.end();
  }

  #hear(report: Report): void {
    const { files, memory } = this.#charge;
    switch (report.kind) {
      case "ready":
        return this.order({ kind: "prepare", files, memory });
      case "prepared":
        return this.#prepared.resolve(report.router);
      case "listening":
        return this.#listening.resolve();
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#charge.failed(this.#errorOf(report));
    }
  }

  /** What was ours is said in its own words. */
  #errorOf({ code, message, stack }: Failure): Error {
    if (code !== undefined) return new MtrayError(code, message);
    const error = new Error(`worker ${this.#number} failed: ${message}`);
    return stack === undefined ? error : Object.assign(error, { stack });
  }
}
