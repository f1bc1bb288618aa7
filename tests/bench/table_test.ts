// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Metric } from "./case.ts";
import { jsonReport, markdownReport, type Outcome, terminalReport } from "./report.ts";
import { markdownTables, type Results, table } from "./table.ts";

const speed: Metric = { name: "GB/s", better: "more", digits: 2 };
const cost: Metric = { name: "CPU s/GB", better: "less", digits: 2 };
const load: Metric = { name: "load", digits: 1 };

function result(name: string, metrics: Metric[], runs: Record<string, number[][]>): Results[number] {
  return { of: { name, metrics }, runs: new Map(Object.entries(runs)), seconds: 12.4 };
}

const download = result("download", [speed, cost, load], {
  v2ray: [[0.5, 5, 1], [0.3, 6, 1], [0.4, 4, 3]],
  mtray: [[2, 0.5, 1], [1, 0.25, 1]],
});
const upload = result("upload", [speed, cost, load], { mtray: [[1, 1, 1]] });
const start = result("start", [{ name: "ms", better: "less", digits: 0 }], { v2ray: [[10]], mtray: [[40]] });

Deno.test("a row has medians, the least and the most, and how many times better than v2ray", () => {
  assertEquals(table([download]), [
    "                 GB/s                    CPU s/GB                 load",
    "download  v2ray  0.40 [0.30–0.50]        5.00 [4.00–6.00]         1.0 [1.0–3.0]",
    "          mtray  1.50 [1.00–2.00]  ×3.8  0.38 [0.25–0.50]  ×13.3  1.0 [1.0–1.0]",
  ]);
});

Deno.test("cases with the same figures share a heading", () => {
  const [, ...lines] = table([download, upload, start]);
  assertEquals(lines.map((line) => line.split(/\s{2,}/)[0]), ["download", "", "upload", "", "", "start", ""]);
});

Deno.test("a case that v2ray has no part in is compared with nothing, and a worse figure has two digits", () => {
  assertEquals(table([upload]).join().includes("×"), false);
  assertEquals(table([start]).at(-1)?.split(/\s+/).slice(1), ["mtray", "40", "×0.25"]);
});

Deno.test("a case without a run that went well is not there", () => {
  assertEquals(table([result("download", [speed], {})]), []);
});

Deno.test("Markdown has the figure and the ratio in one cell", () => {
  assertEquals(markdownTables([start]), [
    "| case | relay | ms |",
    "| --- | --- | --: |",
    "| start | v2ray | 10 |",
    "|  | mtray | 40 ×0.25 |",
    "",
  ]);
});

const outcome: Outcome = {
  results: [download, start],
  relays: [{ name: "v2ray", about: "V2Ray 4.34" }],
  rounds: 3,
  day: "2026-11-22",
  machine: { processor: "A CPU", cores: 2, kernel: "6.18.1", memory: 8 * 2 ** 30 },
  args: ["--rounds", "3", "--peer", "mtg=mtg run {secret}"],
  notes: ["no libcrypto is here"],
  failures: ["download: mtray: it ended; it said: no"],
};

Deno.test("the document begins with day, machine, command, versions, notes and failures", () => {
  assertEquals(markdownReport(outcome).split("\n").slice(0, 8), [
    "- Day: 2026-11-22",
    "- Machine: A CPU, 2 cores, 8.0 GiB, Linux 6.18.1",
    '- Command: `deno task bench --rounds 3 --peer "mtg=mtg run {secret}"`',
    "- v2ray: V2Ray 4.34",
    "- no libcrypto is here",
    "- failed: download: mtray: it ended; it said: no",
    "",
    "| case | relay | GB/s | CPU s/GB | load |",
  ]);
});

Deno.test("of the v2ray beside the relay is told where there is one", () => {
  const beside = { ...download, of: { ...download.of, needsV2ray: true } };
  const told = (results: Results) =>
    terminalReport({ ...outcome, results }).some((line) => line.includes("another v2ray"));
  assertEquals([told([download]), told([beside])], [false, true]);
});

Deno.test("JSON has every figure of every run, by relay", () => {
  const { cases, day } = JSON.parse(jsonReport(outcome));
  assertEquals(day, "2026-11-22");
  assertEquals(cases[0], {
    name: "download",
    seconds: 12,
    metrics: ["GB/s", "CPU s/GB", "load"],
    runs: { v2ray: [[0.5, 5, 1], [0.3, 6, 1], [0.4, 4, 3]], mtray: [[2, 0.5, 1], [1, 0.25, 1]] },
  });
});
