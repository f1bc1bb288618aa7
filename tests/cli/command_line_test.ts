// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { understand } from "../../lib/cli/mod.ts";
import type { Options } from "../../lib/cli/flags.ts";
import { thrown } from "./thrown.ts";

const nothing: Options = {
  config: [],
  confdir: [],
  domain: undefined,
  vmess: undefined,
  host: undefined,
  kind: undefined,
  init: false,
  strict: false,
  json: false,
  verbose: false,
  test: false,
  version: false,
  help: false,
  words: [],
};

const understood: [line: string, command: string, options: Partial<Options>][] = [
  // V2Ray 4: flags alone.
  ["", "run", {}],
  ["-c a.json", "run", { config: ["a.json"] }],
  ["-c=a.json", "run", { config: ["a.json"] }],
  ["-config a.json", "run", { config: ["a.json"] }],
  ["-config=a.json", "run", { config: ["a.json"] }],
  ["--config a.json", "run", { config: ["a.json"] }],
  ["--config=a.json", "run", { config: ["a.json"] }],
  ["-c a.json -config b.json --config=c.json", "run", { config: ["a.json", "b.json", "c.json"] }],
  ["-confdir d", "run", { confdir: ["d"] }],
  ["-confdir=d -c a", "run", { confdir: ["d"], config: ["a"] }],
  ["-format=json -c a", "run", { config: ["a"] }],
  ["-test -c a.json", "test", { test: true, config: ["a.json"] }],
  ["-c a.json --test", "test", { test: true, config: ["a.json"] }],
  ["-version", "version", { version: true }],
  ["--version", "version", { version: true }],
  ["-V", "version", { version: true }],
  ["-h", "help", { help: true }],
  ["-help", "help", { help: true }],
  ["--help", "help", { help: true }],
  // V2Ray 5 and Xray: a command first.
  ["run -c a.json -c b.json", "run", { config: ["a.json", "b.json"] }],
  ["run -config=a.json", "run", { config: ["a.json"] }],
  ["run -confdir d", "run", { confdir: ["d"] }],
  ["run -test -c a.json", "test", { test: true, config: ["a.json"] }],
  ["test -c a.json", "test", { config: ["a.json"] }],
  ["version", "version", {}],
  ["uuid", "uuid", {}],
  // Standard input.
  ["-c -", "run", { config: ["-"] }],
  ["-config -", "run", { config: ["-"] }],
  ["test --config=- --strict", "test", { config: ["-"], strict: true }],
  ["run -c stdin:", "run", { config: ["stdin:"] }],
  // mtray's own.
  ["run --init --domain example.org --host h", "run", { init: true, domain: "example.org", host: "h" }],
  ["run -init", "run", { init: true }],
  ["link -c a --host 10.0.0.1 --json", "link", { config: ["a"], host: "10.0.0.1", json: true }],
  ["run --init --vmess vmess://x", "run", { init: true, vmess: "vmess://x" }],
  ["init", "init", {}],
  ["init -c a --domain example.org --vmess=vmess://e30=", "init", {
    config: ["a"],
    domain: "example.org",
    vmess: "vmess://e30=",
  }],
  ["init --vmess -", "init", { vmess: "-" }],
  ["import vmess://x?a=b#c", "import", { words: ["vmess://x?a=b#c"] }],
  ["import -", "import", { words: ["-"] }],
  ["secret --domain example.org", "secret", { domain: "example.org" }],
  ["secret --kind dd", "secret", { kind: "dd" }],
  ["version --verbose", "version", { verbose: true }],
  ["version --verbose -c a.json", "version", { verbose: true, config: ["a.json"] }],
  ["help", "help", {}],
  ["help run", "help", { words: ["run"] }],
  ["run --help", "run", { help: true }],
  // What looks like a number is a name.
  ["-c 007", "run", { config: ["007"] }],
  ["run -c 1e3 --init", "run", { config: ["1e3"], init: true }],
];

for (const [line, command, options] of understood) {
  Deno.test(`mtray ${line} is understood`, () => {
    const result = understand(words(line));
    assertEquals(result.command.name, command);
    assertEquals(result.options, { ...nothing, ...options });
  });
}

const refused: [line: string, why: RegExp][] = [
  ["rnu", /unknown command rnu: did you mean mtray run\?/],
  ["vresion", /did you mean mtray version\?/],
  ["frobnicate", /unknown command frobnicate: see `mtray help`/],
  ["run --confg a", /unknown flag --confg: did you mean --config\?/],
  ["run --confg=a", /unknown flag --confg: did you mean --config\?/],
  ["-tset", /unknown flag -tset/],
  ["run --json", /unknown flag --json: it belongs to another command/],
  ["uuid --init", /unknown flag --init: it belongs to another command/],
  ["run -x", /unknown flag -x/],
  ["run --no-init", /unknown flag --no-init/],
  ["run -c", /--config needs a value/],
  ["run -c --init", /--config needs a value/],
  ["-config=", /--config needs a value/],
  ["run --init --domain", /--domain needs a value/],
  ["link --host a --host b", /--host was given 2 times/],
  ["-format=yaml -c a", /cannot read the format yaml: mtray's configs are JSON/],
  ["run a.json", /cannot use the argument a\.json: a config is named with -c FILE/],
  ["init vmess://x", /a link is given with --vmess LINK, or to `mtray import`/],
  ["init --vmess", /--vmess needs a value/],
  ["init --vmess a --vmess b", /--vmess was given 2 times/],
  ["link --vmess a", /unknown flag --vmess: it belongs to another command/],
  ["-c a.json run", /cannot use the argument run: the command comes first/],
];

for (const [line, why] of refused) {
  Deno.test(`mtray ${line} is refused as usage`, () => {
    const error = thrown(() => understand(words(line)));
    assertEquals(error.code, "usage");
    assertMatch(error.message, why);
  });
}

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}
