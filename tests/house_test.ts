/** The rules of the house, read from the sources: who may import whom, and who may say Deno, Bun or what time it is. */
// @ts-types="./types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { dirname, join, normalize, relative } from "node:path";
import { ROOT } from "./tasks/paths.ts";
import { PERMISSIONS } from "./tasks/permissions.ts";
import { type Import, readSource, type Source } from "./tasks/source.ts";

/** From the top down; a folder knows what comes after it. */
const ORDER = [
  ...[
    "cli",
    "workers",
    "app",
    "shared",
    "config",
    "routing",
    "proxy",
    "transport",
    "settings",
    "session",
    "stream",
    "crypto",
  ],
  ...["observe", "runtime", "errors", "version"],
];

/** Where clocks are made, where the runtime waits for one, and where it asks whether a certificate has expired. */
const CLOCK_MAKERS = ["lib/shared.ts", "lib/runtime/waiting.ts", "lib/runtime/tls_judge.ts"];

/** A file of more lines is two ideas. */
const MOST_LINES = 400;

const files = listed("lib").map((path) => ({ path, text: read(path) }));
const sources: [string, Source][] = files.map(({ path, text }) => [path, readSource(path, text)]);
const manifest: { tasks: Record<string, { command: string }>; imports: Record<string, string> } = JSON.parse(
  read("deno.json"),
);

Deno.test("every folder of lib/ has its place in the order", () => {
  assertEquals([...new Set(files.map(({ path }) => path))].filter((path) => level(path) < 0), []);
});

Deno.test("imports point down, except those of a contract", () => {
  const wrong = edges().filter(({ from, to }) => !isContract(to) && level(to) < level(from));
  assertEquals(wrong.map(arrow), []);
});

Deno.test("a contract (types.ts) needs nothing but other types", () => {
  const wrong = edges().filter(({ from, typeOnly }) => isContract(from) && !typeOnly);
  assertEquals(wrong.map(arrow), []);
});

Deno.test("main.ts hands over to lib/cli and imports nothing else", () => {
  const imports = readSource("main.ts", read("main.ts")).imports.map(({ specifier }) => specifier);
  assertEquals(imports.filter((specifier) => !specifier.startsWith("./lib/cli/")), []);
});

Deno.test("a protocol knows no other, and the registry alone knows several", () => {
  const wrong = edges().filter(({ from, to }) => {
    const protocol = protocolOf(to);
    if (protocol === null || from === "lib/proxy/registry.ts") return false;
    if (from.startsWith("lib/proxy/")) return protocol !== protocolOf(from);
    return edges().some((other) => other.from === from && ![null, protocol].includes(protocolOf(other.to)));
  });
  assertEquals(wrong.map(arrow), []);
});

Deno.test("only lib/runtime says Deno or Bun", () => {
  const wrong = outsideOf("lib/runtime/").filter(([, { runtimes }]) => runtimes.length > 0);
  assertEquals(wrong.map(([path, { runtimes }]) => `${path}: ${runtimes.join(", ")}`), []);
});

Deno.test("sockets and foreign functions come from lib/runtime, ciphers from lib/crypto", () => {
  const owners: [string, RegExp][] = [
    ["lib/runtime/", /^(node:(net|tls|dgram)|bun:.*)$/],
    ["lib/crypto/", /^node:crypto$/],
  ];
  const wrong = owners.flatMap(([folder, modules]) =>
    outsideOf(folder).flatMap(([path, { imports }]) =>
      imports.filter(({ specifier }) => modules.test(specifier)).map(({ specifier }) =>
        `${path}: ${specifier}`
      )
    )
  );
  assertEquals(wrong, []);
});

Deno.test("modules of Node's are loaded late (lib/runtime/late.ts), none when the program starts", () => {
  const early = ({ specifier, typeOnly }: Import) => /^node:/.test(specifier) && !typeOnly;
  const wrong = sources.filter(([, { imports }]) => imports.some(early)).map(([path]) => path);
  assertEquals(wrong, []);
});

Deno.test("clocks are read where they are made", () => {
  const wrong = sources.filter(([path, { clocks }]) => clocks.length > 0 && !CLOCK_MAKERS.includes(path));
  assertEquals(wrong.map(([path, { clocks }]) => `${path}: ${clocks.join(", ")}`), []);
});

Deno.test("lib/ imports its own files, built-in modules and what deno.json names", () => {
  const forTests = ["@std/assert", "fast-check"];
  const known = Object.keys(manifest.imports).filter((name) => !forTests.includes(name));
  const wrong = sources.flatMap(([path, { imports }]) =>
    imports.map(({ specifier }) => specifier)
      .filter((name) => !/^(\.|node:|bun:)/.test(name) && !known.includes(name))
      .map((name) => `${path}: ${name}`)
  );
  assertEquals(wrong, []);
});

Deno.test("every dependency is pinned, and named with its reason in the README's table", () => {
  const versions = Object.values(manifest.imports);
  const pinned = /^(?:npm|jsr):\/?((?:@[\w.-]+\/)?[\w.-]+)@\d+\.\d+\.\d+(?:\/[\w./-]*)?$/;
  assertEquals(versions.filter((version) => !pinned.test(version)), []);
  const packages = new Set(versions.map((version) => version.match(pinned)?.[1] ?? version));
  const rows = read("README.md").split("\n").filter((line) => /^\|.*\|.*\|/.test(line));
  const named = (name: string) => rows.some((row) => row.split("|")[1].includes(`\`${name}\``));
  assertEquals([...packages].filter((name) => !named(name)), []);
});

Deno.test("every dependency is used", () => {
  const used = new Set(
    [...sources, ...listed("tests").map((path) => [path, readSource(path, read(path))] as const)]
      .flatMap(([, { imports }]) => imports.map(({ specifier }) => specifier)),
  );
  assertEquals(Object.keys(manifest.imports).filter((name) => !used.has(name)), []);
});

Deno.test(`no file of lib/ has more than ${MOST_LINES} lines`, () => {
  const long = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
  assertEquals(long.filter(({ lines }) => lines > MOST_LINES), []);
});

Deno.test("tasks run mtray with the permissions of the one list, and none of its runs may do all", () => {
  const flags = `deno run ${PERMISSIONS.join(" ")} main.ts`;
  assertEquals(
    manifest.tasks.start.command.startsWith(`${flags} run --init`),
    true,
    manifest.tasks.start.command,
  );
  assertEquals(manifest.tasks.mtray.command, flags);
  const all = Object.values(manifest.tasks).map(({ command }) => command)
    .filter((command) =>
      /main\.ts/.test(command) && /\s(-A|--allow-all|--allow-run|--allow-import)\b/.test(command)
    );
  assertEquals(all, []);
});

interface Edge {
  from: string;
  to: string;
  typeOnly: boolean;
}

/** Imports between files of the repository. */
function edges(): Edge[] {
  return sources.flatMap(([from, { imports }]) =>
    imports.filter(({ specifier }) => specifier.startsWith(".")).map(({ specifier, typeOnly }) => ({
      from,
      to: normalize(join(dirname(from), specifier)),
      typeOnly,
    }))
  );
}

function arrow({ from, to }: Edge): string {
  return `${from} -> ${to}`;
}

/** The place in the order; -1 has none. What lies outside lib/, such as main.ts, is above everything. */
function level(path: string): number {
  const [top, name] = path.split("/");
  return top === "lib" ? ORDER.indexOf(name.replace(/\.ts$/, "")) : -1;
}

/** Anyone may import a contract: it holds types, and the few constants that belong to them. */
function isContract(path: string): boolean {
  return path.endsWith("/types.ts");
}

function protocolOf(path: string): string | null {
  return path.match(/^lib\/proxy\/([^/]+)\//)?.[1] ?? null;
}

function outsideOf(folder: string): [string, Source][] {
  return sources.filter(([path]) => !path.startsWith(folder));
}

function read(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

/** Every .ts file below a folder, declarations apart, as paths from the repository. */
function listed(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].sort((a, b) => a.name < b.name ? -1 : 1).flatMap(
    (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory) return listed(path);
      return path.endsWith(".ts") && !path.endsWith(".d.ts") ? [relative(ROOT, join(ROOT, path))] : [];
    },
  );
}
