import { join } from "node:path";
import { CACHE, remove } from "../tasks/paths.ts";

export type SecretKind = "classic" | "ee";

/** A program to measure. Plain data, so that it can be handed to the process inside the network namespace. */
export interface Relay {
  name: string;
  /** With {config}, {port}, {secret} and {domain} in the places of what a run fills in. */
  command: string[];
  secrets: SecretKind[];
}

/** How a run wants its relay. */
export interface Setup {
  secret: Secret;
  /** Added to the mtproto outbound's settings. */
  outboundSettings?: Record<string, unknown>;
}

export interface Secret {
  kind: SecretKind;
  key: Uint8Array;
  /** What `ee` clients ask for. */
  domain: string;
}

/** Where every relay listens. */
export const PORT = 17443;

/** Milliseconds within which a relay must take its first connection. */
const START_LIMIT = 15_000;
/** A tick of /proc/PID/stat, in seconds; Linux shows 100 a second to programs on every machine. */
const TICK = 0.01;

/** A relay that is running, and what the kernel knows about it. */
export class RunningRelay {
  #output: string[] = [];

  private constructor(
    private readonly child: Deno.ChildProcess,
    private readonly config: string,
    /** From the command to the first connection that was taken, in milliseconds. */
    readonly startMs: number,
  ) {}

  /**
   * Starts a relay and waits until it takes a connection.
   *
   * @throws {Error} with its output when it ends or does not listen within 15 s
   */
  static async start(relay: Relay, setup: Setup): Promise<RunningRelay> {
    const config = Deno.makeTempFileSync({ dir: join(CACHE, "bench"), prefix: "config-", suffix: ".json" });
    const command = fill(relay.command, setup, config);
    const started = performance.now();
    const child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output: string[] = [];
    const reading = Promise.all([collect(child.stdout, output), collect(child.stderr, output)]);
    let ended = false;
    child.status.then(() => ended = true);
    while (!await takesConnection()) {
      const late = performance.now() - started > START_LIMIT;
      if (!ended && !late) continue;
      if (!ended) child.kill("SIGKILL");
      await reading;
      remove(config);
      throw new Error(
        `cannot start ${relay.name}: ${late ? "it does not listen" : "it ended"}: ${output.join("")}`,
      );
    }
    const running = new RunningRelay(child, config, performance.now() - started);
    running.#output = output;
    return running;
  }

  /** Seconds of processor time, user and system, of all its threads since it started. */
  get cpu(): number {
    // The name, in brackets, may hold spaces; field 14 is the 12th after it.
    const fields = this.#read("stat").replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  }

  /** Resident memory now, in bytes. */
  get memory(): number {
    return this.#status("VmRSS");
  }

  /** The most resident memory it has had, in bytes. */
  get peakMemory(): number {
    return this.#status("VmHWM");
  }

  get output(): string {
    return this.#output.join("");
  }

  /** Waits until it has used no processor time for 200 ms, 3 s at most. */
  async settle(): Promise<void> {
    for (let tries = 0, before = -1; tries < 15 && this.cpu !== before; tries++) {
      before = this.cpu;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async stop(): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.child.status;
    remove(this.config);
  }

  #status(name: string): number {
    const kilobytes = this.#read("status").match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1];
    return Number(kilobytes) * 1024;
  }

  #read(file: string): string {
    try {
      return Deno.readTextFileSync(`/proc/${this.child.pid}/${file}`);
    } catch {
      throw new Error(`cannot measure the relay: it ended: ${this.output}`);
    }
  }
}

/** The secret as it stands in a config or link. */
export function secretText({ kind, key, domain }: Secret): string {
  const domainHex = new TextEncoder().encode(domain).toHex();
  return kind === "ee" ? `ee${key.toHex()}${domainHex}` : key.toHex();
}

function fill(command: string[], { secret, outboundSettings }: Setup, config: string): string[] {
  const user = { secret: secretText(secret) };
  Deno.writeTextFileSync(
    config,
    JSON.stringify({
      log: { loglevel: "warning", access: "none" },
      inbounds: [{
        tag: "in",
        listen: "127.0.0.1",
        port: PORT,
        protocol: "mtproto",
        settings: { users: [user] },
      }],
      outbounds: [{ tag: "out", protocol: "mtproto", settings: outboundSettings ?? {} }],
    }),
  );
  const values: Record<string, string> = {
    config,
    port: String(PORT),
    secret: user.secret,
    domain: secret.domain,
  };
  return command.map((part) => part.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole));
}

async function takesConnection(): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port: PORT })).close();
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return false;
  }
}

/** Keeps the beginning of what a relay says; one that logs without end must not fill this process. */
async function collect(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    if (into.length < 100) into.push(text);
  }
}
