import type { Case, Figures } from "./case.ts";

/** The relay that the others are compared with. */
export const REFERENCE = "v2ray";

/** All runs of a case: relay name -> its figures, one entry a round. */
export type Runs = Map<string, Figures[]>;

export type Results = readonly {
  of: Pick<Case, "name" | "metrics" | "needsV2ray">;
  runs: Runs;
  seconds: number;
}[];

/** Rows of cases that have the same figures, under one heading. A figure is two cells: itself and its ratio. */
export interface Section {
  /** The case, the relay and then the figures. */
  heading: string[];
  /** The case's name stands in its first row only. */
  rows: string[][];
}

/** Median, [least–most] and how many times better than V2Ray, for every case and relay. */
export function sections(results: Results): Section[] {
  const done: Section[] = [];
  for (const { of, runs } of results) {
    if (runs.size === 0) continue;
    const heading = ["", "", ...of.metrics.flatMap(({ name }) => [name, ""])];
    if (done.at(-1)?.heading.join() !== heading.join()) done.push({ heading, rows: [] });
    let first = of.name;
    for (const [relay, figures] of runs) {
      done.at(-1)?.rows.push([first, relay, ...cells(of.metrics, figures, runs.get(REFERENCE))]);
      first = "";
    }
  }
  return done;
}

/** The lines of the table for a terminal. */
export function table(results: Results): string[] {
  const rows = sections(results).flatMap(({ heading, rows }) => [[], heading, ...rows]).slice(1);
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}

/** The same as tables in Markdown, a figure and its ratio in one cell. */
export function markdownTables(results: Results): string[] {
  return sections(results).flatMap(({ heading, rows }) => {
    const columns = heading.map((_, i) => i).filter((i) => i < 2 || i % 2 === 0);
    const line = (row: string[]) =>
      `| ${
        columns.map((i) => i < 2 ? row[i] : [row[i], row[i + 1]].filter(Boolean).join(" ")).join(" | ")
      } |`;
    const rule = `| ${columns.map((i) => i < 2 ? "---" : "--:").join(" | ")} |`;
    return [line(["case", "relay", ...heading.slice(2)]), rule, ...rows.map(line), ""];
  });
}

function cells(
  metrics: Case["metrics"],
  figures: readonly Figures[],
  reference: readonly Figures[] | undefined,
): string[] {
  return metrics.flatMap(({ better, digits }, i) => {
    const values = sorted(figures, i);
    const [least, most] = [values[0].toFixed(digits), values[values.length - 1].toFixed(digits)];
    const spread = values.length > 1 ? ` [${least}–${most}]` : "";
    const other = reference === undefined || reference === figures ? NaN : median(sorted(reference, i));
    const ratio = better === "more" ? median(values) / other : other / median(values);
    return [
      `${median(values).toFixed(digits)}${spread}`,
      better !== undefined && Number.isFinite(ratio) ? `×${ratio.toFixed(ratio < 0.95 ? 2 : 1)}` : "",
    ];
  });
}

function sorted(figures: readonly Figures[], index: number): number[] {
  return figures.map((run) => run[index]).sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
