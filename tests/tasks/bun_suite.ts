import { join, relative } from "node:path";
import { CACHE, remove, ROOT } from "./paths.ts";
import { run, tail } from "./run.ts";
import { bun } from "./tools.ts";

/** Folders of tests/ whose tests need no process and no file, or, in contract/, only what lib/runtime offers. */
const FOLDERS = [
  ...["config", "contract", "crypto", "observe", "proxy", "routing", "runtime", "stream", "transport"],
];

/** Which test files run under Bun too, as paths from the repository, and which of the folders' files do not. */
export interface BunFiles {
  chosen: string[];
  /** File and the module that keeps it from running under Bun. */
  leftOut: { file: string; because: string }[];
}

/** A file stays on Deno when it, or a helper that it imports from tests/, says more of Deno than `Deno.test`. */
export async function chooseFiles(): Promise<BunFiles> {
  const result: BunFiles = { chosen: [], leftOut: [] };
  for (const folder of FOLDERS) {
    for (const file of testFiles(join(ROOT, "tests", folder))) {
      const because = await denoOnlyModule(file);
      if (because === null) result.chosen.push(relative(ROOT, file));
      else result.leftOut.push({ file: relative(ROOT, file), because: relative(ROOT, because) });
    }
  }
  return result;
}

/**
 * Bundles the files, since Bun does not read deno.json's imports, and runs them with `bun test`.
 *
 * @returns the command's result and its report in JUnit's XML
 */
export async function runUnderBun(files: string[], limit: number) {
  const folder = join(CACHE, "bun-tests");
  const report = join(CACHE, "reports", "bun.xml");
  remove(folder);
  remove(report);
  Deno.mkdirSync(folder, { recursive: true });
  const bundled = files.map((file) => join(folder, file.replace(/\.ts$/, ".js")));
  // All at once: the bundler's start costs more than its work. It keeps the paths below what all have in common.
  const bundling = await run(
    [
      ...[Deno.execPath(), "bundle", "--quiet", "--platform", "deno"],
      "--outdir",
      join(folder, "tests"),
      ...files,
    ],
    { limit, cwd: ROOT, env: { NO_COLOR: "1" } },
  );
  if (bundling.code !== 0) throw new Error(`cannot bundle the tests: ${tail(bundling.output)}`);
  const command = [
    ...[await bun(), "test", "--preload", join(ROOT, "tests", "tasks", "bun_shim.ts")],
    ...["--reporter=junit", `--reporter-outfile=${report}`, ...bundled],
  ];
  return { done: await run(command, { limit, cwd: ROOT, env: { NO_COLOR: "1" } }), report };
}

/** Every file of tests in a folder and below, in order. */
export function testFiles(folder: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return testFiles(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}

async function denoOnlyModule(file: string): Promise<string | null> {
  const done = await run([Deno.execPath(), "info", "--json", file], { limit: 30, cwd: ROOT });
  if (done.code !== 0) throw new Error(`cannot read the imports of ${relative(ROOT, file)}: ${done.stderr}`);
  const info: { modules: { local?: string }[] } = JSON.parse(done.stdout);
  for (const { local } of info.modules) {
    if (local === undefined || !local.startsWith(join(ROOT, "tests"))) continue;
    if (/\bDeno\.(?!test\b)/.test(Deno.readTextFileSync(local))) return local;
  }
  return null;
}
