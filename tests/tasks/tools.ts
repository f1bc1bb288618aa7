import { join } from "node:path";
import { CACHE, remove, sizeOf } from "./paths.ts";
import { run, tail } from "./run.ts";

/** The Bun that runs the bundle, that tests use, and that becomes part of the single files. */
export const BUN_VERSION = "1.4.5";

/** Names of Bun's executables as npm has them: `@oven/bun-<name>`. */
export type BunName = "linux-x64" | "linux-aarch64" | "linux-x64-musl" | "linux-aarch64-musl" | HostOnly;
type HostOnly = "darwin-x64" | "darwin-aarch64";

/** A tool that is not here and could not be fetched. The message is a sentence for people. */
export class MissingTool extends Error {
  override name = "MissingTool";
}

/** In CI a missing tool is a failure; elsewhere what needs it is skipped, in words. */
export function inCi(): boolean {
  return Deno.env.get("CI") === "true";
}

/** Bun's name for this machine. */
export function hostBunName(): BunName {
  const name = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "aarch64" : "x64"}`;
  if (name === "linux-x64" || name === "linux-aarch64") return name;
  if (name === "darwin-x64" || name === "darwin-aarch64") return name;
  throw new MissingTool(`cannot run bun: there is none for ${Deno.build.target}`);
}

/**
 * The path of a Bun executable of the pinned version. It is taken from npm and kept in `.cache/`; npm's own choice
 * by processor and C library is passed by, since the executables of other machines are wanted as well.
 *
 * @throws {MissingTool} when it is not here and npm cannot fetch it
 */
export function bun(name: BunName = hostBunName()): Promise<string> {
  // Once for all who ask: two that fetch it at the same time would take it from under each other.
  const fetching = fetched.get(name) ?? fetchBun(name);
  fetched.set(name, fetching);
  return fetching;
}

const fetched = new Map<BunName, Promise<string>>();

async function fetchBun(name: BunName): Promise<string> {
  const folder = join(CACHE, `bun-${BUN_VERSION}`);
  const path = join(folder, name, "bun");
  if (sizeOf(path) !== null) return path;
  const wanted = `@oven/bun-${name}@${BUN_VERSION}`;
  const work = join(folder, `.${name}-${Deno.pid}`);
  Deno.mkdirSync(work, { recursive: true });
  try {
    await must(`cannot fetch ${wanted} with npm`, [
      ...["npm", "pack", "--silent", "--pack-destination", work, wanted],
    ]);
    const packed = [...Deno.readDirSync(work)].map((entry) => entry.name).find((file) =>
      file.endsWith(".tgz")
    );
    if (packed === undefined) throw new MissingTool(`cannot fetch ${wanted} with npm: nothing was packed`);
    await must(`cannot unpack ${wanted}`, ["tar", "-xzf", join(work, packed), "-C", work, "package/bin/bun"]);
    Deno.mkdirSync(join(folder, name), { recursive: true });
    Deno.renameSync(join(work, "package", "bin", "bun"), path);
  } finally {
    remove(work);
  }
  return path;
}

/**
 * The path of Debian's v2ray, installed when this is root on a machine with apt-get.
 *
 * @throws {MissingTool} when it is not here and cannot be installed
 */
export async function v2ray(): Promise<string> {
  const present = await findOnPath("v2ray");
  if (present !== null) return present;
  const missing = "cannot run v2ray: it is not installed";
  if (Deno.build.os !== "linux" || await findOnPath("apt-get") === null) throw new MissingTool(missing);
  if (Deno.uid() !== 0) throw new MissingTool(`${missing}, and only root can run "apt-get install v2ray"`);
  const apt = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await must(missing, ["apt-get", "update", "-qq"], apt);
  await must(missing, ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "v2ray"], apt);
  const installed = await findOnPath("v2ray");
  if (installed === null) throw new MissingTool(missing);
  return installed;
}

/** The path of a program on PATH, or null. */
export async function findOnPath(program: string): Promise<string | null> {
  const found = await run(["sh", "-c", 'command -v -- "$0"', program], { limit: 10 });
  return found.code === 0 ? found.stdout.trim() : null;
}

async function must(message: string, command: string[], env?: Record<string, string>): Promise<void> {
  let why: string;
  try {
    const done = await run(command, { limit: 300, env });
    if (done.code === 0) return;
    why = done.timedOut ? "it took more than 300 s" : tail(done.stderr, 2) || `exit code ${done.code}`;
  } catch {
    why = `${command[0]} is not installed`;
  }
  throw new MissingTool(`${message}: ${why}`);
}
