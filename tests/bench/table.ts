import type { Case, Figures } from "./case.ts";

/** The relay that the others are compared with. */
export const REFERENCE = "v2ray";

/** All runs of a case: relay name -> its figures, one entry a round. */
export type Runs = Map<string, Figures[]>;

/** The lines of the table: median, [least–most] and how many times better than V2Ray, for every case and relay. */
export function table(results: readonly { of: Case; runs: Runs }[]): string[] {
  const rows: string[][] = [];
  let heading = "";
  for (const { of, runs } of results) {
    const names = of.metrics.flatMap(({ name }) => [name, ""]);
    if (names.join() !== heading) {
      if (rows.length > 0) rows.push([]);
      rows.push(["", "", ...names]);
    }
    heading = names.join();
    let first = of.name;
    for (const [relay, figures] of runs) {
      rows.push([first, relay, ...cells(of, figures, runs.get(REFERENCE))]);
      first = "";
    }
  }
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}

function cells(of: Case, figures: Figures[], reference: Figures[] | undefined): string[] {
  return of.metrics.flatMap(({ better, digits }, i) => {
    const values = figures.map((run) => run[i]).sort((a, b) => a - b);
    const [least, most] = [values[0].toFixed(digits), values[values.length - 1].toFixed(digits)];
    const spread = values.length > 1 ? ` [${least}–${most}]` : "";
    const other = reference === undefined || reference === figures
      ? NaN
      : median(reference.map((run) => run[i]).sort((a, b) => a - b));
    const ratio = better === "more" ? median(values) / other : other / median(values);
    return [
      `${median(values).toFixed(digits)}${spread}`,
      better !== undefined && Number.isFinite(ratio) ? `×${ratio.toFixed(1)}` : "",
    ];
  });
}

function median(sorted: number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
