import { join } from "node:path";
import { CACHE, remove } from "../tasks/paths.ts";
import type { Json } from "../v2ray/config.ts";
import { cpuOf, family, forgetPeakOf, isListening, memoryOf } from "./process_figures.ts";
import { type Secret, secretText } from "./secret.ts";

/** Something that is started with a config, or with a port and a secret. */
export interface Program {
  name: string;
  /** With {config}, {port}, {secret} and {domain} in the places of what a run fills in. */
  command: readonly string[];
}

/** How a run wants its program. */
export interface Setup {
  config: Json;
  /** Where it is to listen, as the config says as well. */
  port: number;
  /** For who reads no config. */
  secret?: Secret;
  /**
   * Finds out by connecting whether it listens, which is known at once. Not for a relay that passes every connection
   * on: there the kernel's table is read, which takes it some milliseconds to write.
   */
  connects?: boolean;
}

/** Milliseconds within which a program must listen. */
const START_LIMIT = 15_000;
/** Characters of a program's output that are shown when something fails. */
const SAID = 300;
/** Milliseconds between two looks at whether a program still works. */
const LOOK = 100;

/** A program that is running, and what the kernel knows about it and the processes it has started. */
export class RunningProgram implements AsyncDisposable {
  /** From the command until it listened, in milliseconds. */
  startMs = 0;
  readonly #output: string[] = [];
  readonly #reading: Promise<unknown>;

  private constructor(private readonly child: Deno.ChildProcess, private readonly config: string) {
    this.#reading = Promise.all([child.stdout, child.stderr].map((stream) => collect(stream, this.#output)));
  }

  /**
   * Starts a program and waits until it listens.
   *
   * @throws {Error} with its output when it ends or does not listen within 15 s
   */
  static async start(program: Program, setup: Setup): Promise<RunningProgram> {
    const failed = (why: string) => new Error(`cannot start ${program.name}: ${why}`);
    if (isListening(setup.port)) throw failed(`somebody listens on port ${setup.port}`);
    const config = Deno.makeTempFileSync({ dir: join(CACHE, "bench"), prefix: "config-", suffix: ".json" });
    try {
      Deno.writeTextFileSync(config, JSON.stringify(setup.config));
      const [file, ...args] = fill(program.command, setup, config);
      const io = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
      const started = performance.now();
      const child = new Deno.Command(file, { args, ...io }).spawn();
      const running = new RunningProgram(child, config);
      const why = await running.#whyNotListening(setup, started);
      if (why === null) return running;
      await running[Symbol.asyncDispose]();
      throw failed([why, running.output].filter(Boolean).join(": "));
    } catch (error) {
      remove(config);
      throw error instanceof Deno.errors.NotFound ? failed(error.message) : error;
    }
  }

  /** Waits until it listens. @returns null when it does */
  async #whyNotListening({ port, connects }: Setup, started: number): Promise<string | null> {
    let ended = false;
    this.child.status.then(() => ended = true);
    for (;;) {
      // In this order: when it has been seen listening and has not ended, it is this one that listens.
      const listens = connects ? await takesConnection(port) : isListening(port);
      this.startMs = performance.now() - started;
      await sleep(1);
      if (ended) return "it ended";
      if (listens) return null;
      if (this.startMs > START_LIMIT) return "it does not listen";
    }
  }

  /** It and the processes that it has started. */
  get pids(): number[] {
    return family(this.child.pid);
  }

  /** Resident memory now, in bytes. */
  get memory(): number {
    return this.#sum((pid) => memoryOf(pid, "VmRSS"));
  }

  /** The most resident memory it has had, in bytes. */
  get peakMemory(): number {
    return this.#sum((pid) => memoryOf(pid, "VmHWM"));
  }

  /** From here on `peakMemory` is the most since now. */
  forgetPeak(): void {
    for (const pid of this.pids) forgetPeakOf(pid);
  }

  /** The beginning of what it has said, in one line. */
  get output(): string {
    // deno-lint-ignore no-control-regex
    return this.#output.join("").replaceAll(/[\s\x00-\x1f\x7f-\x9f]+/g, " ").trim().slice(0, SAID);
  }

  /** Waits until it has used no processor time for so many milliseconds; after five seconds it is left at that. */
  async settle(quiet = 200): Promise<void> {
    const limit = performance.now() + 5000;
    let cpu = -1;
    for (let since = 0; performance.now() < limit && performance.now() - since < quiet;) {
      const now = this.#sum(cpuOf);
      if (now !== cpu) since = performance.now();
      cpu = now;
      await sleep(LOOK);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    endFamily(this.child.pid);
    await this.child.status;
    // What it said last; a child of it that has got away may hold the pipe open for ever.
    await Promise.race([this.#reading, sleep(LOOK)]);
    remove(this.config);
  }

  #sum(figure: (pid: number) => number): number {
    const sum = this.pids.map(figure).reduce((a, b) => a + b);
    if (!Number.isNaN(sum)) return sum;
    throw new Error("cannot measure the relay: it ended");
  }
}

async function takesConnection(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Kills: none of them has anything to save. */
function endFamily(pid: number): void {
  for (const member of family(pid).reverse()) {
    try {
      Deno.kill(member, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

function fill(command: readonly string[], { secret, port }: Setup, config: string): string[] {
  const values: Record<string, string> = { config, port: String(port) };
  if (secret !== undefined) Object.assign(values, { secret: secretText(secret), domain: secret.domain });
  return command.map((part) => part.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole));
}

/** Keeps the beginning of what a program says; one that logs without end must not fill this process. */
async function collect(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    if (into.length < 100) into.push(text);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
