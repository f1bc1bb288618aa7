/**
 * `deno task test`: everything that CI runs. Three lanes side by side, for two cores, since much of it is waiting for
 * deadlines: the tests that stay inside one process, on Deno and on Bun, and the program itself, made and tried from
 * outside in each of its forms. The lane that is free first takes the next form.
 */
import { dirname, join, relative } from "node:path";
import { chooseFiles, runUnderBun, testFiles } from "./bun_suite.ts";
import { bundle } from "./bundle.ts";
import { compile, Skipped } from "./compile.ts";
import { CACHE, DIST, remove, ROOT } from "./paths.ts";
import { PERMISSIONS } from "./permissions.ts";
import { readReport, type Report } from "./report.ts";
import { endAllOnSignal, type Finished, run } from "./run.ts";
import { smoke, smokeBundle } from "./smoke.ts";
import { TARGETS } from "./targets.ts";
import { bun, hostBunName, inCi, MissingTool, v2ray } from "./tools.ts";

/** `deno task test:all`: every row of every matrix, where `deno task test` takes a choice. */
const FULL = Deno.env.get("MTRAY_FULL") === "1";

/** Seconds that any one command may take; a hang ends here, well before a person gives up. */
const LIMIT = FULL ? 900 : 180;

/** Tests that run the program and look at it from outside. */
const OUTSIDE = ["tests/blackbox", "tests/interop"];

/** What the single file is not asked again: it is the bundle with Bun around it, and both have just been tried. */
const SAME_IN_BUNDLE = ["attacks", "chain_shapes", "half_close", "vmess"]
  .map((name) => `tests/interop/${name}_test.ts`);

interface Result {
  passed: number;
  failed: number;
  skipped: number;
  /** Printed under the part's line. */
  notes: string[];
}
interface Part {
  name: string;
  run(): Promise<Result>;
}

const total: Result = { passed: 0, failed: 0, skipped: 0, notes: [] };

async function main(): Promise<number> {
  endAllOnSignal();
  const started = performance.now();
  Deno.mkdirSync(join(CACHE, "reports"), { recursive: true });
  const forms = [fromSource, bundleOnBun, compiled];
  // Installing takes a while, and nothing else needs the network meanwhile.
  withoutPeer().catch(() => {});
  await Promise.all([lane([checks, inside, compared], forms), lane([insideBun], forms), lane([made], forms)]);
  console.log(`\n${seconds(started)} in all`);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 ? 0 : 1;
}

/**
 * Runs parts one after the other, then whatever is left of those that any lane may take, and says how each went. A
 * part that throws has failed.
 */
async function lane(parts: Part[], shared: Part[]): Promise<void> {
  for (let part; (part = parts.shift() ?? shared.shift()) !== undefined;) {
    const started = performance.now();
    const result = await part.run().catch(failureOf);
    const { passed, failed, skipped, notes } = result;
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    console.log(`${failed > 0 ? "FAILED" : "ok    "} ${part.name}: ${counts} (${seconds(started)})`);
    for (const note of notes) console.log(note.replaceAll(/^/gm, "       "));
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
}

function failureOf(error: unknown): Result {
  if ((error instanceof MissingTool || error instanceof Skipped) && !inCi()) {
    return { passed: 0, failed: 0, skipped: 1, notes: [`skipped: ${error.message}`] };
  }
  return {
    passed: 0,
    failed: 1,
    skipped: 0,
    notes: [error instanceof Error ? error.message : String(error)],
  };
}

const checks: Part = {
  name: "format, lint, types",
  async run() {
    const result: Result = { passed: 0, failed: 0, skipped: 0, notes: [] };
    for (const command of [["fmt", "--check"], ["lint"], ["check", "--quiet", "main.ts", "lib", "tests"]]) {
      const done = await run([Deno.execPath(), ...command], {
        limit: LIMIT,
        cwd: ROOT,
        env: { NO_COLOR: "1" },
      });
      if (done.code === 0) result.passed++;
      else {
        result.failed++;
        result.notes.push(`deno ${command.join(" ")}:\n${done.output.trimEnd()}`);
      }
    }
    return result;
  },
};

const inside: Part = {
  name: "unit and contract tests on Deno",
  async run() {
    const running = denoTest("deno", ["tests", `--ignore=${OUTSIDE.join(",")}`], {});
    running.then(({ report }) => onDeno.resolve(report), onDeno.reject);
    const { done, report } = await running;
    return resultOf(done, report);
  },
};

const insideBun: Part = {
  name: "unit and contract tests on Bun",
  async run() {
    const running = runOnBun();
    running.then(onBun.resolve, onBun.reject);
    const { done, report, leftOut } = await running;
    const result = resultOf(done, report);
    for (const { file, because } of leftOut) {
      result.notes.push(`${file} runs on Deno only${because === file ? "" : `, because of ${because}`}`);
    }
    return result;
  },
};

async function runOnBun() {
  await bun();
  const { chosen, leftOut } = await chooseFiles();
  const { done, report } = await runUnderBun(chosen, LIMIT);
  return { done, report: readReport(report), chosen, leftOut };
}

/** What the two ran, for `compared`. */
const onDeno = Promise.withResolvers<Report>();
const onBun = Promise.withResolvers<Awaited<ReturnType<typeof runOnBun>>>();
for (const { promise } of [onDeno, onBun]) promise.catch(() => {});

const compared: Part = {
  name: "as many tests on Bun as on Deno",
  async run() {
    const [deno, { chosen, report }] = await Promise.all([onDeno.promise, onBun.promise]);
    const notes = differences(chosen, deno, report);
    return { passed: notes.length === 0 ? 1 : 0, failed: notes.length, skipped: 0, notes };
  },
};

/** Files in which Bun ran another number of tests than Deno. */
function differences(files: string[], deno: Report, bun: Report): string[] {
  const onBun = new Map(
    [...bun.names].map(([path, names]) => [path.replace(/^.*\.cache\/bun-tests\//, ""), names]),
  );
  return files.flatMap((file) => {
    const here = onBun.get(file.replace(/\.ts$/, ".js"))?.length ?? 0;
    const there = deno.names.get(`./${file}`)?.length ?? 0;
    return here === there ? [] : [`${file}: ${here} tests on Bun, ${there} on Deno`];
  });
}

const made: Part = {
  name: "bundle and single file",
  async run() {
    const making = make();
    making.then(() => onMade.resolve(), onMade.reject);
    await making;
    return { passed: 3, failed: 0, skipped: 0, notes: [] };
  },
};

/** Settles when the program is there in all its forms, for those who try them. */
const onMade = Promise.withResolvers<void>();
onMade.promise.catch(() => {});

async function make(): Promise<void> {
  await bundle(join(ROOT, "main.ts"), join(DIST, "mtray.js"));
  await smokeBundle(join(DIST, "mtray.js"));
  remove(singleFile);
  Deno.mkdirSync(dirname(singleFile), { recursive: true });
  await smokeBundle(join(DIST, "mtray.js"), await bun());
  const target = TARGETS.find((candidate) => candidate.bun === hostBunName());
  if (target === undefined) throw new MissingTool(`cannot make a single file for ${Deno.build.target}`);
  await compile(target, join(DIST, "mtray.js"), singleFile);
  await smoke(target, singleFile);
}

const singleFile = join(CACHE, "test", "mtray");

const fromSource = outside(
  "program, deno run main.ts",
  () => Promise.resolve([Deno.execPath(), "run", ...PERMISSIONS, join(ROOT, "main.ts")]),
);
const bundleOnBun = outside(
  "program, bun dist/mtray.js",
  async () => {
    await onMade.promise;
    return [await bun(), join(DIST, "mtray.js")];
  },
);
const compiled = outside("program, single file", async () => {
  await onMade.promise;
  return [singleFile];
}, FULL ? [] : SAME_IN_BUNDLE);

/** The peer of the interop tests, which may have to be installed first. Once for all parts. */
let peer: Promise<string> | undefined;

/** @returns why there is no V2Ray, where its tests may be left out for that; null when it is there */
async function withoutPeer(): Promise<string | null> {
  try {
    await (peer ??= v2ray());
    return null;
  } catch (error) {
    if (error instanceof MissingTool && !inCi()) return error.message;
    throw error;
  }
}

/** The same tests, on the program as this command starts it. */
function outside(name: string, command: () => Promise<string[]>, leaveOut: readonly string[] = []): Part {
  return {
    name,
    async run() {
      const env = { MTRAY_COMMAND: JSON.stringify(await command()) };
      const missing = await withoutPeer();
      // One by one: deno test heeds --ignore for folders only.
      const files = OUTSIDE.flatMap((folder) => testFiles(join(ROOT, folder))).map((file) =>
        relative(ROOT, file)
      );
      const chosen = files.filter((file) => !leaveOut.includes(file));
      const { done, report } = await denoTest(name.replaceAll(/\W+/g, "-"), chosen, env);
      const result = resultOf(done, report);
      if (missing !== null && report.skipped > 0) result.notes.push(`${report.skipped} skipped: ${missing}`);
      return result;
    },
  };
}

async function denoTest(name: string, args: string[], env: Record<string, string>) {
  const path = join(CACHE, "reports", `${name}.xml`);
  remove(path);
  const done = await run(
    [Deno.execPath(), "test", "-A", "--no-check", `--junit-path=${path}`, ...args],
    { limit: LIMIT, cwd: ROOT, env: { ...env, NO_COLOR: "1" } },
  );
  return { done, report: readReport(path) };
}

/** A runner that failed without a failed test (a file that does not load, a limit) counts as one failure. */
function resultOf(done: Finished, report: Report): Result {
  const { passed, failed, skipped } = report;
  if (done.code === 0 && passed + failed > 0) return { passed, failed, skipped, notes: [] };
  const notes = done.timedOut ? [`ended after ${LIMIT} s`] : [];
  const errors = done.output.indexOf("\n ERRORS ");
  notes.push(done.output.slice(Math.max(errors, 0)).replaceAll(/^\((pass|skip)\).*\n/gm, "").trim());
  return { passed, failed: Math.max(failed, 1), skipped, notes };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

if (import.meta.main) Deno.exit(await main());
