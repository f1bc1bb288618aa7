/** The tests of one run, as a JUnit report tells them. Steps of a test are not counted: Bun does not know them. */
export interface Report {
  passed: number;
  failed: number;
  skipped: number;
  /** Test names by file, as the runner named the file. */
  names: Map<string, string[]>;
}

/** Reads the report that `deno test --junit-path` or `bun test --reporter=junit` wrote; empty when there is none. */
export function readReport(path: string): Report {
  const report: Report = { passed: 0, failed: 0, skipped: 0, names: new Map() };
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return report;
  }
  for (const [suite, file] of text.matchAll(/<testsuite name="([^"]*)"[\s\S]*?<\/testsuite>/g)) {
    const cases = [...suite.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
    const all = new Set(cases.map(([, name]) => name));
    const names: string[] = [];
    for (const [, name, inside = ""] of cases) {
      if (isStep(name, all)) continue;
      names.push(name);
      if (/<skipped\b/.test(inside)) report.skipped++;
      else if (/<(failure|error)\b/.test(inside)) report.failed++;
      else report.passed++;
    }
    report.names.set(file, names);
  }
  return report;
}

/** Deno names a step "test > step". */
function isStep(name: string, all: Set<string>): boolean {
  const separator = " &gt; ";
  for (let at = name.indexOf(separator); at >= 0; at = name.indexOf(separator, at + 1)) {
    if (all.has(name.slice(0, at))) return true;
  }
  return false;
}
