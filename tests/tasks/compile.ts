import { join } from "node:path";
import { CACHE, remove } from "./paths.ts";
import { PERMISSIONS } from "./permissions.ts";
import { run, tail } from "./run.ts";
import { archOf, type Target } from "./targets.ts";
import { bun, MissingTool } from "./tools.ts";

/** A target that this machine cannot make, and the sentence that says why. */
export class Skipped extends Error {
  override name = "Skipped";
}

/**
 * Makes a single file out of the bundle.
 *
 * @param output where to put it; nothing is there after a failure
 * @throws {Skipped} when this machine lacks what the target needs
 */
export async function compile(target: Target, bundled: string, output: string): Promise<void> {
  remove(output);
  try {
    if (target.runtime === "bun") await compileWithBun(target, bundled, output);
    else await compileWithDeno(target, bundled, output);
  } catch (error) {
    remove(output);
    if (error instanceof MissingTool) throw new Skipped(`cannot make ${target.file}: ${error.message}`);
    throw error;
  }
}

/**
 * Bytecode takes 8 of the 20 ms to the first accepted connection off and costs 2 MB of file; minifying gains nothing
 * beside it. A file that a gateway's owner copies somewhere must not read the .env or bunfig.toml it finds there.
 */
async function compileWithBun(target: Target, bundled: string, output: string): Promise<void> {
  if (target.bun === undefined) throw new Error(`cannot make ${target.file}: no Bun is named for it`);
  const command = [
    ...[await bun(), "build", "--compile", "--bytecode", "--format=esm", `--target=${target.name}`],
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...[`--compile-executable-path=${await bun(target.bun)}`, `--outfile=${output}`, bundled],
  ];
  const done = await run(command, { limit: 120 });
  if (done.code !== 0) throw new Error(`cannot make ${target.file}: ${tail(done.output)}`);
}

/** In a folder of its own, because a node_modules beside the entry point would be put into the file. */
async function compileWithDeno(target: Target, bundled: string, output: string): Promise<void> {
  const denort = Deno.env.get("DENORT_BIN");
  const fits = denort !== undefined && archOf(readStart(denort)) === target.arch;
  const folder = join(CACHE, "compile", `${Deno.pid}-${target.file}`);
  Deno.mkdirSync(folder, { recursive: true });
  try {
    Deno.copyFileSync(bundled, join(folder, "mtray.js"));
    const done = await run(
      [
        ...[Deno.execPath(), "compile", "--quiet", "--no-config", "--no-lock", "--target", target.name],
        ...[...PERMISSIONS, "--output", output, "mtray.js"],
      ],
      { limit: 300, cwd: folder, env: { NO_COLOR: "1", ...(fits ? {} : { DENORT_BIN: null }) } },
    );
    if (done.code === 0) return;
    if (!fits && (done.timedOut || /denort|dl\.deno\.land/.test(done.output))) {
      throw new Skipped(
        `cannot make ${target.file}: deno compile could not fetch its runtime from Deno's download host; ` +
          `DENORT_BIN can name a denort ${Deno.version.deno} for ${target.arch} instead`,
      );
    }
    throw new Error(`cannot make ${target.file}: ${tail(done.output)}`);
  } finally {
    remove(folder);
  }
}

function readStart(path: string): Uint8Array {
  try {
    using file = Deno.openSync(path);
    const start = new Uint8Array(64);
    return start.subarray(0, file.readSync(start) ?? 0);
  } catch (error) {
    throw new Error(`cannot use DENORT_BIN: ${error instanceof Error ? error.message : error}`);
  }
}
