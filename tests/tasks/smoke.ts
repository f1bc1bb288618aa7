import { join } from "node:path";
import { VERSION } from "../../lib/version.ts";
import { PERMISSIONS } from "./permissions.ts";
import { run, tail } from "./run.ts";
import type { Target } from "./targets.ts";
import { findOnPath } from "./tools.ts";

/** A command that runs a made file on this machine, or the reason why there is none. */
export type Runner = { command: string[]; env: Record<string, string>; how: string } | { cannot: string };

/**
 * How this machine runs a made file: as it is, or through qemu-user.
 *
 * A musl file needs a libstdc++ that was built against musl, which a glibc machine has not: MTRAY_SYSROOT_MUSL_X86_64
 * and MTRAY_SYSROOT_MUSL_AARCH64 name folders whose lib/ holds one (and, for arm64, the musl loader).
 */
export async function runnerFor(target: Target, file: string): Promise<Runner> {
  const sysroot = Deno.env.get(`MTRAY_SYSROOT_${target.libc}_${target.arch}`.toUpperCase());
  const native = Deno.build.os === "linux" && Deno.build.arch === target.arch;
  if (native) {
    const env: Record<string, string> = {};
    if (target.libc === "musl" && sysroot !== undefined) env.LD_LIBRARY_PATH = join(sysroot, "lib");
    if (target.libc === "musl" && !exists(`/lib/ld-musl-${target.arch}.so.1`)) {
      return { cannot: "no musl here" };
    }
    return { command: [file], env, how: "here" };
  }
  const qemu = await findOnPath(`qemu-${target.arch}`);
  const libraries = sysroot ?? (target.libc === "glibc" ? `/usr/${target.arch}-linux-gnu` : undefined);
  if (qemu === null || libraries === undefined || !exists(join(libraries, "lib"))) {
    return { cannot: `no ${target.arch} ${target.libc} here` };
  }
  return { command: [qemu, "-L", libraries, file], env: {}, how: "under qemu" };
}

/**
 * Runs `version` and compares.
 *
 * @returns a few words for the table
 * @throws {Error} when it ran and said something else
 */
export async function smoke(target: Target, file: string): Promise<string> {
  const runner = await runnerFor(target, file);
  if ("cannot" in runner) return `not run: ${runner.cannot}`;
  const done = await run([...runner.command, "version"], { limit: 60, env: runner.env });
  const foreign = target.libc === "musl" && done.code === 127;
  if (foreign && /libstdc\+\+/.test(done.stderr)) return "not run: no libstdc++ for musl here";
  expectVersion(target.file, done.code, done.stdout, done.output);
  return `runs ${runner.how}`;
}

/** The same for the bundle, under Deno or Bun. */
export async function smokeBundle(file: string, bun?: string): Promise<void> {
  const command = bun === undefined ? [Deno.execPath(), "run", ...PERMISSIONS, file] : [bun, file];
  const done = await run([...command, "version"], { limit: 60 });
  expectVersion(`${bun === undefined ? "deno run" : "bun"} mtray.js`, done.code, done.stdout, done.output);
}

function expectVersion(name: string, code: number, stdout: string, output: string): void {
  if (code === 0 && stdout.includes(VERSION)) return;
  throw new Error(
    `cannot use ${name}: "version" ended with code ${code}: ${tail(output) || "nothing printed"}`,
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
