import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { PERMISSIONS } from "../tasks/permissions.ts";

/** What a run of mtray left behind. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** mtray as a process of its own, in a folder. */
export class Program {
  readonly #child: Deno.ChildProcess;
  readonly #written = { stdout: "", stderr: "" };
  readonly #reading: Promise<void>[];
  #changed = Promise.withResolvers<void>();

  constructor(folder: string, args: string[], input?: string) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", ...PERMISSIONS, join(ROOT, "main.ts"), ...args],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
    this.#child = command.spawn();
    this.#reading = [
      this.#collect("stdout", this.#child.stdout),
      this.#collect("stderr", this.#child.stderr),
    ];
    if (input !== undefined) {
      const writer = this.#child.stdin.getWriter();
      // A program that does not read its input is no failure of the test's own.
      writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    }
  }

  /** Waits until a pattern stands in standard output, or the program ends without it. */
  async says(pattern: RegExp): Promise<string> {
    const ended = this.#child.status.then(() => Promise.all(this.#reading)).then(() => "ended");
    for (;;) {
      const found = pattern.exec(this.#written.stdout);
      if (found) return found[0];
      if (
        await Promise.race([ended, this.#changed.promise]) === "ended" && !pattern.test(this.#written.stdout)
      ) {
        const { stdout, stderr } = this.#written;
        throw new Error(`mtray ended and never said ${pattern}:\n${stdout}\n${stderr}`);
      }
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end, at most 20 s. */
  async finished(): Promise<Finished> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    const { code } = await this.#child.status;
    clearTimeout(late);
    await Promise.all(this.#reading);
    return { code, ...this.#written };
  }

  async #collect(name: "stdout" | "stderr", stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#written[name] += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** Runs mtray to its end. */
export function mtray(folder: string, args: string[], input?: string): Promise<Finished> {
  return new Program(folder, args, input).finished();
}

/** A port of this machine that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
