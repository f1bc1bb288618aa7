/** What a finished command left behind. */
export interface Finished {
  /** Exit code; 124 when it was ended for taking too long. */
  code: number;
  stdout: string;
  stderr: string;
  /** Both, in the order in which they came. */
  output: string;
  timedOut: boolean;
  seconds: number;
}

export interface RunOptions {
  /** Seconds after which the command and its children are ended. */
  limit: number;
  cwd?: string;
  /** Added to this process's environment; null takes a variable away. */
  env?: Record<string, string | null>;
}

/** Process groups that are running: each command leads its own, so that its children end with it. */
const groups = new Set<number>();

/** Ends every command that `run` has started and that is still running. */
export function endAll(): void {
  for (const group of groups) endGroup(group);
}

/** Makes Ctrl-C and a polite kill reach the commands as well, which lead process groups of their own. */
export function endAllOnSignal(): void {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => {
      endAll();
      Deno.exit(code);
    });
  }
}

/** Runs a command to its end, or to its limit. Throws only when the program cannot be started at all. */
export async function run(command: readonly string[], options: RunOptions): Promise<Finished> {
  const started = performance.now();
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    cwd: options.cwd,
    clearEnv: true,
    env: environment(options.env ?? {}),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  groups.add(child.pid);
  const all: string[] = [];
  const stdout: string[] = [];
  const stderr: string[] = [];
  const read = Promise.all([collect(child.stdout, stdout, all), collect(child.stderr, stderr, all)]);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child.pid);
  }, options.limit * 1000);
  const status = await child.status;
  clearTimeout(timer);
  // A child that outlives its parent keeps the pipes open; it is not worth waiting for.
  const leftOver = setTimeout(() => endGroup(child.pid), 2000);
  await read;
  clearTimeout(leftOver);
  groups.delete(child.pid);
  const seconds = (performance.now() - started) / 1000;
  return {
    code: timedOut ? 124 : status.code,
    stdout: stdout.join(""),
    stderr: stderr.join(""),
    output: all.join(""),
    timedOut,
    seconds,
  };
}

/** Runs a command whose output is for the person at the terminal. @returns its exit code */
export async function runVisible(command: readonly string[]): Promise<number> {
  const child = new Deno.Command(command[0], { args: command.slice(1), stdin: "null", detached: true })
    .spawn();
  groups.add(child.pid);
  const status = await child.status;
  groups.delete(child.pid);
  return status.code;
}

/** The last lines of a command's output, for a message. */
export function tail(text: string, lines = 5): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

function endGroup(group: number): void {
  try {
    Deno.kill(-group, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function environment(changes: Record<string, string | null>): Record<string, string> {
  const result = Deno.env.toObject();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete result[name];
    else result[name] = value;
  }
  return result;
}

async function collect(stream: ReadableStream<Uint8Array>, ...into: string[][]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    for (const list of into) list.push(text);
  }
}
