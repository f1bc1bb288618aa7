// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions } from "./options.ts";

Deno.test("without options: five rounds, and what the cases themselves hold for right", () => {
  assertEquals(parseOptions([]), {
    quick: false,
    rounds: 5,
    connections: null,
    bytes: null,
    only: "",
    relay: "",
    peers: [],
    markdown: null,
    json: null,
  });
});

Deno.test("a quick look is one round of eight connections, unless it is said otherwise", () => {
  const { quick, rounds, connections } = parseOptions(["--quick"]);
  assertEquals({ quick, rounds, connections }, { quick: true, rounds: 1, connections: [8] });
  assertEquals(parseOptions(["--quick", "--rounds", "2"]).rounds, 2);
  assertEquals(parseOptions(["--quick", "--connections", "64"]).connections, [64]);
});

Deno.test("peers may be several, and a command may hold an equals sign", () => {
  const { peers } = parseOptions(["--peer", "a=run {port} {secret}", "--peer", "b=env X=1 run"]);
  assertEquals(peers, [{ name: "a", command: "run {port} {secret}" }, { name: "b", command: "env X=1 run" }]);
});

Deno.test("megabytes are millions of bytes", () => {
  assertEquals(parseOptions(["--megabytes", "300"]).bytes, 300_000_000);
});

for (
  const [args, message] of [
    [["--round", "5"], "cannot understand --round"],
    [["all"], "cannot understand all"],
    [["--rounds", "0"], "cannot take --rounds 0"],
    [["--megabytes", "1.5"], "cannot take --megabytes 1.5"],
    [["--connections", "many"], "cannot take --connections many"],
    [["--peer", "mtg"], "cannot take --peer mtg: it must be NAME=COMMAND"],
    [["--peer", "=mtg run"], "cannot take --peer =mtg run"],
  ] as const
) {
  Deno.test(`options that are wrong: ${args.join(" ")}`, () => {
    assertThrows(() => parseOptions([...args]), Error, message);
  });
}
