/** Starts mtray as a user does, with a config file, and stops it by its process handle. */
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { PERMISSIONS } from "../tasks/permissions.ts";
import { untilListening } from "./kernel_queue.ts";
import { within } from "./socket.ts";

/** Starting from source compiles first, which takes a while on a cold cache. */
const START_MS = 60_000;
/** mtray lets running writes finish for 3 s. */
const STOP_MS = 10_000;

/** The program and its first arguments: MTRAY_COMMAND, a JSON array, or the source under Deno. */
export function mtrayCommand(): string[] {
  const given = Deno.env.get("MTRAY_COMMAND");
  if (given === undefined) return [Deno.execPath(), "run", ...PERMISSIONS, "main.ts"];
  const command: unknown = JSON.parse(given);
  if (!Array.isArray(command) || command.length === 0 || !command.every((part) => typeof part === "string")) {
    throw new Error("cannot use MTRAY_COMMAND: it must be a JSON array of strings");
  }
  return command;
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * A port that nobody listens on now. It lies below those that systems give to outgoing connections, or one of the
 * tests' own might take it before mtray does.
 */
export function freePort(hostname = "127.0.0.1"): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Runs mtray, or another command that stands for it, to its end. */
export async function runMtray(
  args: readonly string[],
  { ms = START_MS, command }: { ms?: number; command?: readonly string[] } = {},
): Promise<Finished> {
  const child = spawn(args, [], command);
  const output = collect(child);
  try {
    const status = await within(ms, `run mtray ${args[0]}`, child.status);
    return { code: status.code, ...await output };
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw error;
  }
}

export interface UserLinks {
  email: string;
  tg: string;
  https: string;
}

export interface InboundUser {
  secret: string;
  email?: string;
  level?: number;
}

export interface GatewayOptions {
  users: readonly InboundUser[];
  /** `settings.dataCenters` of the outbound: signed id to addresses. */
  dataCenters: Readonly<Record<string, readonly string[]>>;
  /** More of the inbound's settings, for example `fallbacks`. */
  inbound?: Readonly<Record<string, unknown>>;
  /** More of the outbound's settings, for example `adoptDownlinkKey`. */
  outbound?: Readonly<Record<string, unknown>>;
  /** More of the config: `policy`, `routing`, `log`, further inbounds or outbounds by their own keys. */
  config?: Readonly<Record<string, unknown>>;
}

/** A config with one mtproto inbound and one mtproto outbound that dials the stubs. */
export function gatewayConfig(port: number, options: GatewayOptions): Record<string, unknown> {
  const { users, dataCenters } = options;
  return {
    inbounds: [{
      tag: "tg-in",
      listen: "127.0.0.1",
      port,
      protocol: "mtproto",
      settings: { users, ...options.inbound },
    }],
    outbounds: [{ tag: "tg-out", protocol: "mtproto", settings: { dataCenters, ...options.outbound } }],
    ...options.config,
  };
}

/** A running mtray. */
export class Mtray {
  #ended: Deno.CommandStatus | null = null;

  private constructor(
    readonly port: number,
    readonly configFile: string,
    readonly folder: string,
    readonly child: Deno.ChildProcess,
    readonly output: Promise<{ stdout: string; stderr: string }>,
  ) {
    child.status.then((status) => this.#ended = status);
  }

  /** Starts mtray with one mtproto inbound and waits until it listens. */
  static async startGateway(options: GatewayOptions): Promise<Mtray> {
    const port = freePort();
    return await Mtray.start(gatewayConfig(port, options), port);
  }

  /**
   * Starts mtray with a config and waits until `port` is listened on.
   *
   * @param wrap a program and arguments that start it in their turn
   */
  static async start(config: unknown, port: number, wrap: readonly string[] = []): Promise<Mtray> {
    const folder = await Deno.makeTempDir({ prefix: "mtray-test-" });
    const configFile = join(folder, "config.json");
    await Deno.writeTextFile(configFile, JSON.stringify(config, null, 2));
    const child = spawn(["run", "-c", configFile], wrap);
    const mtray = new Mtray(port, configFile, folder, child, collect(child));
    try {
      await untilListening(port, START_MS, () => mtray.#ended === null);
    } catch (error) {
      const { stdout, stderr } = await mtray.stop();
      throw new Error(`cannot start mtray:\n${stdout}${stderr}`, { cause: error });
    }
    return mtray;
  }

  /** The links that `mtray link` prints for this config, one per user. */
  async links(): Promise<UserLinks[]> {
    const { code, stdout, stderr } = await runMtray([
      "link",
      "-c",
      this.configFile,
      "--host",
      "127.0.0.1",
      "--json",
    ]);
    if (code !== 0) throw new Error(`cannot get links: mtray link ended with ${code}: ${stderr}`);
    return (JSON.parse(stdout) as { users: UserLinks[] }).users;
  }

  /** Sends SIGTERM and waits for the end; after ten seconds kills. Harmless when it has ended already. */
  async stop(): Promise<Finished> {
    if (this.#ended === null) this.child.kill("SIGTERM");
    try {
      const status = await within(STOP_MS, "stop mtray", this.child.status);
      return { code: status.code, ...await this.output };
    } catch (error) {
      this.child.kill("SIGKILL");
      await this.child.status;
      throw error;
    } finally {
      await this.output;
      await Deno.remove(this.folder, { recursive: true }).catch(() => {});
    }
  }

  /** Resident memory in bytes. Linux only. */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.child.pid}/status`);
    const kilobytes = status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
    if (kilobytes === undefined) throw new Error("cannot tell memory: the system does not say");
    return Number(kilobytes) * 1024;
  }

  /** User and system time so far, in seconds. Linux only. */
  async processorTime(): Promise<number> {
    const stat = await Deno.readTextFile(`/proc/${this.child.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Linux shows a hundred ticks a second to programs on every machine.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function spawn(
  args: readonly string[],
  wrap: readonly string[] = [],
  command: readonly string[] = mtrayCommand(),
): Deno.ChildProcess {
  const [program, ...first] = [...wrap, ...command];
  return new Deno.Command(program, {
    args: [...first, ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function collect(child: Deno.ChildProcess): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { stdout, stderr };
}
