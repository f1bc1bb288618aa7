import { type App, build } from "../app.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import { describe, MtrayError } from "../errors.ts";
import { openLog } from "../observe/log.ts";
import { parentThread, runtime } from "../runtime/mod.ts";
import { environment } from "../runtime/process.ts";
import { createShared, type Shared } from "../shared.ts";
import type { Order, Report, RouterDescription } from "./types.ts";

/** What a worker wants to be told of its thread. */
export interface WorkerThread {
  /** Something happened that a whole program would end for. */
  failed(error: unknown): void;
  /** A line for the log of errors. */
  complain(text: string): void;
}

/** Makes this thread a worker: a router beside that of the main thread, which orders what to do and when. */
export function obey(): WorkerThread {
  return new ObedientWorker();
}

/** What `prepare` made. */
interface Prepared {
  config: Config;
  shared: Shared;
  app: App;
}

class ObedientWorker implements WorkerThread {
  readonly #parent = parentThread((order) => this.#receive(order as Order));
  #prepared: Prepared | null = null;
  #closeLog = () => {};
  /** Orders are carried out one after the other. */
  #done: Promise<void> = Promise.resolve();

  constructor() {
    this.#report({ kind: "ready" });
  }

  failed(error: unknown): void {
    this.#report({
      kind: "failed",
      code: error instanceof MtrayError ? error.code : undefined,
      message: describe(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
  }

  complain(text: string): void {
    this.#prepared?.shared.events.note("error", text);
  }

  #receive(order: Order): void {
    this.#done = this.#done.then(() => this.#carryOut(order)).catch((error) => this.failed(error));
  }

  async #carryOut(order: Order): Promise<void> {
    switch (order.kind) {
      case "prepare":
        this.#prepared = prepare(order);
        return this.#report({ kind: "prepared", router: describeRouter(this.#prepared.shared) });
      case "listen": {
        const { config, shared, app } = this.#prepared!;
        // Every router appends to the logs itself: a line is one write, and nothing waits for the main thread.
        this.#closeLog = openLog(config.log, shared.events, () => shared.clock.wall());
        await app.start(order.ports);
        return this.#report({ kind: "listening" });
      }
      case "stop":
        await this.#prepared?.app.stop();
        this.#closeLog();
        return this.#report({ kind: "stopped" });
    }
  }

  #report(report: Report): void {
    this.#parent.post(report);
  }
}

/** The main thread has checked the same text and printed its warnings. */
function prepare({ files, memory }: Extract<Order, { kind: "prepare" }>): Prepared {
  const { config } = loadConfig(files, { env: environment });
  const shared = createShared(runtime, memory);
  return { config, shared, app: build(config, shared) };
}

/** What this thread's router runs on. */
export function describeRouter({ runtime, crypto }: Shared): RouterDescription {
  return { runtime: `${runtime.name} ${runtime.version}`, ciphers: crypto.name };
}
