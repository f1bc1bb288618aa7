// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Case } from "./case.ts";
import type { Relay } from "./relays.ts";
import { Rounds } from "./rounds.ts";

const relays = ["v2ray", "mtray", "mtray, no libcrypto"].map((name): Relay => ({
  name,
  kind: name === "v2ray" ? "v2ray" : "mtray",
  command: [],
  about: "",
  withoutLibcrypto: name.includes("no libcrypto"),
}));
const silent = { run: () => {}, round: () => {} };

function fakeCase(name: string, more: Partial<Case> = {}): Case {
  return { name, metrics: [], fits: () => true, measure: () => Promise.resolve([1]), ...more };
}

function rounds(cases: Case[], count: number, quick = false): Rounds {
  const workplace = { load: "", v2ray: null, bytes: null, quick };
  return new Rounds({ cases, relays, rounds: count, workplace });
}

Deno.test("relays take turns within a case, and cases within a round", async () => {
  const seen: string[] = [];
  const work = rounds([fakeCase("a"), fakeCase("b", { fits: ({ kind }) => kind === "v2ray" })], 2);
  await work.run({ run: (text) => seen.push(text), round: (done) => seen.push(`${done} done`) });
  const round = (n: number) => [
    ...relays.map(({ name }) => `round ${n} of 2: a: ${name}`),
    ...[`round ${n} of 2: b: v2ray`, `${n} done`],
  ];
  assertEquals(seen, [...round(1), ...round(2)]);
  assertEquals(work.results[0].runs.get("mtray"), [[1], [1]]);
  assertEquals(work.failures, []);
});

Deno.test("who fails at a case is named with the reason, and the others go on", async () => {
  let tries = 0;
  const broken = fakeCase("a", {
    measure({ name }) {
      if (name !== "mtray") return Promise.resolve([1]);
      return Promise.reject(new Error(`no answer${tries++ > 5 ? " at all" : ""}`));
    },
  });
  const work = rounds([broken, fakeCase("b")], 5);
  await work.run(silent);
  assertEquals(work.failures, ["a: mtray (2 times): no answer"]);
  assertEquals(work.results[0].runs.get("v2ray")?.length, 5);
  assertEquals(work.results[1].runs.get("mtray")?.length, 5);
  assertEquals(tries, 2, "it is asked again only once");
});

Deno.test("a quick look has relays without libcrypto only where ciphers matter", async () => {
  const work = rounds([fakeCase("a"), fakeCase("b", { encrypts: true })], 1, true);
  await work.run(silent);
  assertEquals(work.results.map(({ runs }) => runs.has("mtray, no libcrypto")), [false, true]);
});
