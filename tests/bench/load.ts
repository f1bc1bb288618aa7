import { join } from "node:path";
import { CACHE, ROOT, sizeOf } from "../tasks/paths.ts";
import { run, tail } from "../tasks/run.ts";
import { MissingTool } from "../tasks/tools.ts";
import { DATA_CENTRE } from "./beginnings.ts";

/** What came out: how much in how long, and the seconds of processor time that the relay and the generator took. */
export interface Done {
  seconds: number;
  amount: number;
  relayCpu: number;
  loadCpu: number;
}

/** Bytes of header that a data centre drops before anything counts. */
const HEADER = 64;
/** Seconds that one load may take, with everything, beside what it moves; and bytes a second that are hopelessly few. */
const LIMIT = 30;
const HOPELESS = 20e6;

/**
 * Compiles the generator when a source of it is newer than what is in `.cache/`.
 *
 * @returns its path
 * @throws {MissingTool} without a C compiler
 */
export async function buildLoad(): Promise<string> {
  const folder = join(ROOT, "tests", "bench", "load");
  const files = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
  const program = join(CACHE, "bench", "load");
  const made = sizeOf(program) === null ? 0 : changed(program);
  if (files.every((file) => changed(file) < made)) return program;
  Deno.mkdirSync(join(CACHE, "bench"), { recursive: true });
  const sources = files.filter((file) => file.endsWith(".c")).sort();
  const command = ["sh", "-c", 'exec cc -O2 -Wall -Wextra -Werror -o "$0" "$@"', program, ...sources];
  const done = await run(command, { limit: 60 });
  if (done.code === 127) throw new MissingTool("cannot make the load generator: there is no C compiler (cc)");
  if (done.code !== 0) throw new Error(`cannot make the load generator: ${tail(done.output, 20)}`);
  return program;
}

function changed(file: string): number {
  return Deno.statSync(file).mtime?.getTime() ?? 0;
}

/** The load generator at work: clients on one side of the relay and data centres on the other. */
export class Load implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncGenerator<string>;

  /**
   * @param port where clients connect
   * @param bytes how much is going to be moved: the time to give up is reckoned from it
   */
  constructor(program: string, port: number, bytes = 0) {
    const io = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    this.#child = new Deno.Command(program, io).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
    const limit = Math.ceil(LIMIT + bytes / HOPELESS);
    this.order([
      ...[`limit ${limit}`, `listen ${DATA_CENTRE} 443`, `relay 127.0.0.1 ${port}`, `header ${HEADER}`],
    ]);
  }

  /** Orders that have no answer. A generator that has ended says so when it is asked the next time. */
  order(orders: readonly string[]): void {
    this.#orders.write(new TextEncoder().encode(orders.join("\n") + "\n")).catch(() => {});
  }

  /**
   * An order and its answer.
   *
   * @returns what follows the answer's first word
   * @throws {Error} with what the generator says, when it is anything else
   */
  async ask(order: string, word: string): Promise<string> {
    this.order([order]);
    const { value } = await this.#answers.next();
    if (typeof value === "string" && value.startsWith(word)) return value.slice(word.length).trim();
    const why = typeof value === "string"
      ? value.replace(/^failed: /, "")
      : "the generator ended without a word";
    throw new Error(`cannot load the relay: ${why}`);
  }

  /** An order that ends in figures. */
  async measure(order: string): Promise<Done> {
    const answer = await this.ask(order, "done");
    const [seconds, amount, relayCpu, loadCpu] = answer.split(" ").map(Number);
    return { seconds, amount, relayCpu, loadCpu };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#orders.close().catch(() => {});
    await this.#child.status;
    await this.#answers.return(undefined);
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
