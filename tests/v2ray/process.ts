/** Starts mtray and V2Ray alike, each with a config of its own, and stops them by their handles. */
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { inCi } from "../tasks/tools.ts";
import { untilListening } from "../telegram/kernel_queue.ts";
import { mtrayCommand } from "../telegram/mtray_process.ts";
import { within } from "../telegram/socket.ts";
import { untilBound } from "./datagram_ports.ts";

export type ProgramName = "mtray" | "v2ray";

/** Starting mtray from source compiles first, which takes a while on a cold cache. */
const START_MS = 60_000;
/** mtray lets running writes finish for 3 s. */
const STOP_MS = 10_000;

const v2rayPath = findV2ray();

/**
 * Options of a test that needs V2Ray: left out, and counted as such, where there is none. Not in CI, where a missing
 * V2Ray is a failure.
 */
export const needsV2ray = { ignore: v2rayPath === null && !inCi() };

/** Every row of every matrix, where otherwise a choice is run: `deno task test:all`. */
export const FULL = Deno.env.get("MTRAY_FULL") === "1";

/**
 * Whether to run what has V2Ray in every place, which proves the tests and not mtray: that mtray is made into another
 * form does not change it.
 */
export const provesTests = FULL || mtrayCommand()[0] === Deno.execPath();

/** The first on PATH. */
function findV2ray(): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter(Boolean);
  const candidates = folders.map((folder) => join(folder, "v2ray"));
  return candidates.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

function command(name: ProgramName, config: string): string[] {
  if (name === "mtray") return [...mtrayCommand(), "run", "-c", config];
  if (v2rayPath === null) throw new Error("cannot start v2ray: it is not installed");
  return [v2rayPath, "-config", config];
}

/** What a program must listen on before it counts as started. */
export interface Listens {
  tcp: readonly number[];
  udp?: readonly number[];
}

/** A program that is running. */
export class Program {
  #ended: Deno.CommandStatus | null = null;
  #log = "";
  readonly #reading: Promise<unknown>;
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(
    readonly name: ProgramName,
    readonly configFile: string,
    readonly folder: string,
    readonly child: Deno.ChildProcess,
  ) {
    child.status.then((status) => this.#ended = status);
    this.#reading = Promise.all([this.#collect(child.stdout), this.#collect(child.stderr)]);
  }

  /** @param config a value, or the text of a file */
  static async start(name: ProgramName, config: unknown, listens: Listens): Promise<Program> {
    const folder = await Deno.makeTempDir({ prefix: "mtray-test-" });
    const configFile = join(folder, "config.json");
    await Deno.writeTextFile(
      configFile,
      typeof config === "string" ? config : JSON.stringify(config, null, 2),
    );
    const [file, ...args] = command(name, configFile);
    const options = { args, cwd: ROOT, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    const program = new Program(name, configFile, folder, new Deno.Command(file, options).spawn());
    const alive = () => program.#ended === null;
    try {
      for (const port of listens.tcp) await untilListening(port, START_MS, alive);
      for (const port of listens.udp ?? []) await untilBound(port, START_MS, alive);
    } catch (error) {
      await program.stop();
      throw new Error(`cannot start ${name}:\n${program.log}`, { cause: error });
    }
    return program;
  }

  /** What it has written so far, both streams as they came. */
  get log(): string {
    return this.#log;
  }

  /**
   * Waits until the log has a line that fits, and gives that line.
   *
   * @param since where in the log to begin
   */
  async said(what: RegExp | string, since = 0, ms = 5_000): Promise<string> {
    const fits = (line: string) => typeof what === "string" ? line.includes(what) : what.test(line);
    const look = async () => {
      for (;;) {
        const line = this.#log.slice(since).split("\n").slice(0, -1).find(fits);
        if (line !== undefined) return line;
        await this.#heard.promise;
      }
    };
    return await within(ms, `hear ${what} from ${this.name}`, look());
  }

  /** Sends SIGTERM and waits for the end; after ten seconds kills. Harmless when it has ended already. */
  async stop(): Promise<number> {
    if (this.#ended === null) this.child.kill("SIGTERM");
    try {
      return (await within(STOP_MS, `stop ${this.name}`, this.child.status)).code;
    } catch (error) {
      this.child.kill("SIGKILL");
      await this.child.status;
      throw error;
    } finally {
      await this.#reading;
      await Deno.remove(this.folder, { recursive: true }).catch(() => {});
    }
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
  }
}

/** Starts one more program for a test. */
export type Start = (name: ProgramName, config: unknown, listens: Listens) => Promise<Program>;

/**
 * Hands a test what starts programs, and stops them all afterwards. mtray must then end with 0. When the test fails,
 * what they said is shown.
 */
export async function withPrograms(body: (start: Start) => Promise<void>): Promise<void> {
  const programs: Program[] = [];
  try {
    await body(async (...what) => {
      const program = await Program.start(...what);
      programs.push(program);
      return program;
    });
    for (const [index, code] of (await Promise.all(programs.map((program) => program.stop()))).entries()) {
      const { name } = programs[index];
      if (name === "mtray" && code !== 0) {
        throw new Error(`mtray did not stop as asked: it ended with ${code}`);
      }
    }
  } catch (error) {
    await Promise.allSettled(programs.map((program) => program.stop()));
    for (const { name, log } of programs) console.error(`${name} said:\n${tail(log)}`);
    throw error;
  }
}

/** A log may hold a line for each of thousands of connections. */
function tail(log: string, lines = 60): string {
  const all = log.trimEnd().split("\n");
  return all.length <= lines ? log : [`… ${all.length - lines} lines …`, ...all.slice(-lines)].join("\n");
}
