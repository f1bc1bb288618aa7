import { basename, dirname, join, relative } from "node:path";
import { CACHE, ROOT } from "./paths.ts";
import { run, tail } from "./run.ts";

/**
 * Makes one JavaScript file out of an entry point and everything it imports. The same bytes come out on every
 * machine, and the file is replaced in one step, never half-written.
 *
 * Not minified: who meets a stack trace on a gateway should be able to read it, and start-up time is the same.
 *
 * @throws {Error} when it cannot be bundled, or would still need something beside a built-in module
 */
export async function bundle(entry: string, output: string): Promise<void> {
  const name = basename(output);
  const raw = join(CACHE, "bundle", `${Deno.pid}-${name}`);
  Deno.mkdirSync(dirname(raw), { recursive: true });
  const done = await run(
    [Deno.execPath(), "bundle", "--quiet", "--platform", "deno", "--output", raw, entry],
    { limit: 120, cwd: ROOT, env: { NO_COLOR: "1" } },
  );
  if (done.code !== 0) throw new Error(`cannot bundle ${relative(ROOT, entry)}: ${tail(done.output)}`);
  const text = MARK + inAscii(withoutMachinePaths(Deno.readTextFileSync(raw), await npmCache()));
  const outside = importsOf(text).filter((module) => !/^(node|bun):/.test(module));
  if (outside.length > 0) {
    throw new Error(`cannot bundle ${name}: it would still import ${outside.join(", ")}`);
  }
  Deno.writeTextFileSync(raw, text);
  Deno.mkdirSync(dirname(output), { recursive: true });
  Deno.renameSync(raw, output);
}

/** Tells Bun that this is JavaScript already: translating it would cost 9 MB and 30 ms wherever it cannot keep the result. */
const MARK = "// @bun\n";

/** What is left outside ASCII stands in comments. It would make both runtimes keep the whole text at two bytes a letter. */
function inAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Modules that a bundle imports, statically or not. */
function importsOf(text: string): string[] {
  const found = text.matchAll(/^\s*(?:import|export)\b[^"'()]*?from "([^"]+)"|\bimport\("([^"]+)"\)/gm);
  return [...new Set([...found].map((match) => match[1] ?? match[2]))];
}

/** The bundler labels each part with its path, which for packages leads through this machine's cache. */
function withoutMachinePaths(text: string, cache: string): string {
  const escaped = relative(ROOT, cache).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const label = new RegExp(`${escaped}/[^/\\s"]+/((?:@[^/\\s"]+/)?[^/\\s"]+)/(\\d[^/\\s"]*)/`, "g");
  return text.replaceAll(label, "npm:$1@$2/");
}

async function npmCache(): Promise<string> {
  const done = await run([Deno.execPath(), "info", "--json"], { limit: 30, cwd: ROOT });
  const info: { npmCache: string } = JSON.parse(done.stdout);
  return info.npmCache;
}
