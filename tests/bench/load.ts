import { join } from "node:path";
import { CACHE, ROOT, sizeOf } from "../tasks/paths.ts";
import { run, tail } from "../tasks/run.ts";
import { MissingTool } from "../tasks/tools.ts";

/** What the load generator is to do. Addresses are "IP PORT". */
export interface Load {
  relay: string;
  dataCentre: string;
  direction: "up" | "down";
  /** Payload on each connection. */
  bytes: number;
  /** One for each client: the steps in which it begins, as load.c describes them. */
  beginnings: string[];
}

/** What came out: payload over all connections, and what the generator itself took of the processors. */
export interface Moved {
  seconds: number;
  bytes: number;
  loadCpu: number;
}

/** Bytes of header that a data centre drops before it counts. */
const HEADER = 64;
/** Seconds that one load may take, connections included. */
const LIMIT = 60;

/**
 * Compiles the generator when its source is newer than what is in `.cache/`.
 *
 * @returns its path
 * @throws {MissingTool} without a C compiler
 */
export async function buildLoad(): Promise<string> {
  const source = join(ROOT, "tests", "bench", "load.c");
  const program = join(CACHE, "bench", "load");
  const made = sizeOf(program) === null ? null : Deno.statSync(program).mtime;
  if (made !== null && made > (Deno.statSync(source).mtime ?? made)) return program;
  Deno.mkdirSync(join(CACHE, "bench"), { recursive: true });
  const done = await run(["sh", "-c", 'exec cc -O2 -Wall -Wextra -Werror -o "$0" "$1"', program, source], {
    limit: 60,
  });
  if (done.code === 127) throw new MissingTool("cannot make the load generator: there is no C compiler (cc)");
  if (done.code !== 0) throw new Error(`cannot make the load generator: ${tail(done.output, 20)}`);
  return program;
}

/** Runs one load. `started` is called when all connections stand, `finished` when the last byte has arrived. */
export async function runLoad(
  program: string,
  load: Load,
  hooks: { started(): void; finished(): void },
): Promise<Moved> {
  const child = new Deno.Command(program, { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const orders = child.stdin.getWriter();
  const answers = lines(child.stdout);
  const order = (text: string) => orders.write(new TextEncoder().encode(text + "\n"));
  try {
    await order([
      ...[`limit ${LIMIT}`, `listen ${load.dataCentre}`, `relay ${load.relay}`, `skip ${HEADER}`],
      ...[`direction ${load.direction}`, `send ${load.bytes}`, `expect ${load.bytes}`],
      ...load.beginnings.map((steps) => `client ${steps}`),
      "prepare",
    ].join("\n"));
    await expect(answers, "ready");
    hooks.started();
    await order("go");
    const [seconds, bytes, loadCpu] = (await expect(answers, "done ")).split(" ").map(Number);
    hooks.finished();
    return { seconds, bytes, loadCpu };
  } finally {
    await orders.close().catch(() => {});
    // Either it has ended, or it ends at the end of its input or by its own limit.
    await child.status;
    await answers.return(undefined);
  }
}

async function expect(answers: AsyncGenerator<string>, start: string): Promise<string> {
  const { value } = await answers.next();
  if (typeof value === "string" && value.startsWith(start)) return value.slice(start.length);
  throw new Error(`cannot load the relay: ${value ?? "the generator ended without a word"}`);
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
