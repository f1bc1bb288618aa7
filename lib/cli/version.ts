import { build } from "../app.ts";
import { type ConfigFile, loadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import { cryptoProvider } from "../crypto/provider.ts";
import { exists, readTextFile } from "../runtime/files.ts";
import { runtime } from "../runtime/mod.ts";
import { architecture, environment, platform } from "../runtime/process.ts";
import { createShared } from "../shared.ts";
import { createMemory } from "../shared/memory.ts";
import { RELEASED, VERSION } from "../version.ts";
import { Crew, routersOf } from "../workers/crew.ts";
import type { RouterDescription } from "../workers/types.ts";
import { describeRouter } from "../workers/worker.ts";
import type { Command } from "./command.ts";
import { firstExisting, PLACES, readConfigs, shown } from "./files.ts";
import type { Options } from "./flags.ts";
import { loadFiles } from "./load.ts";
import type { Screen } from "./screen.ts";

export const version: Command = {
  name: "version",
  usage: "[--verbose [-c FILE]...]",
  summary: "print the version",
  help: `
With --verbose also the day of the release, the runtime, the machine and where the ciphers come from. With a config,
which is looked for in the usual places, it starts the routers that "workers" asks for, prints a line for each, and ends
them; no port is bound.`,
  flags: ["verbose", "config", "confdir", "format", "strict"],
  async run(options, screen) {
    screen.out(`mtray ${VERSION}`);
    if (!options.verbose) return;
    screen.out(`released  ${new Date(RELEASED).toISOString().slice(0, 10)}`);
    screen.out(`runtime   ${runtime.name} ${runtime.version}`);
    screen.out(`machine   ${platform()} ${architecture()}, ${systemLibrary()}`);
    screen.out(`ciphers   ${cryptoProvider().name}`);
    const found = findConfig(options, screen);
    if (found === null) return;
    for (const [index, router] of (await startRouters(found)).entries()) {
      screen.out(`router ${index + 1}  ${router.runtime}, ciphers from ${router.ciphers}`);
    }
  },
};

interface Found {
  files: ConfigFile[];
  config: Config;
}

/** A config that is not named is not asked for: where it is wrong, the rest is worth knowing all the same. */
function findConfig(options: Options, screen: Screen): Found | null {
  if (options.config.length + options.confdir.length > 0) {
    const files = readConfigs(options, screen.err);
    return { files, config: loadFiles(files, options, screen) };
  }
  const place = firstExisting(PLACES);
  if (place === undefined) return null;
  try {
    const files = readConfigs(options, () => {});
    const { config } = loadConfig(files, { env: environment });
    screen.out(`config    ${shown(place)}`);
    return { files, config };
  } catch {
    screen.out(`config    ${shown(place)}, which is wrong: see \`mtray test\``);
    return null;
  }
}

/** Makes every router as `run` would, and unmakes them again. */
async function startRouters({ files, config }: Found): Promise<RouterDescription[]> {
  const memory = createMemory(routersOf(config));
  const shared = createShared(runtime, memory);
  build(config, shared).close();
  const crew = new Crew(files, memory);
  try {
    return [describeRouter(shared), ...await crew.prepared()];
  } finally {
    crew.end();
  }
}

/** The C library that this process runs on, for reports of trouble. */
function systemLibrary(): string {
  try {
    return readTextFile("/proc/self/maps").includes("/ld-musl-") ? "musl" : "glibc";
  } catch {
    // Deno lets nobody read that file. Its makers build for glibc; Alpine builds its own for musl.
    return exists("/etc/alpine-release") ? "musl" : "glibc";
  }
}
