/** What the README tells people to type must exist. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "./paths.ts";

const readme = Deno.readTextFileSync(join(ROOT, "README.md"));
const commands = [...readme.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)]
  .flatMap(([, block]) => block.split("\n"))
  .map((line) => line.replace(/^\$ /, "").trim())
  .filter((line) => /^(deno task|npx)\b/.test(line));

Deno.test("the README's commands are tasks", () => {
  const { tasks }: { tasks: Record<string, unknown> } = JSON.parse(
    Deno.readTextFileSync(join(ROOT, "deno.json")),
  );
  assert(commands.length > 0, "the README shows no command");
  const unknown = commands.filter((line) => {
    const task = line.match(/^(?:npx -y deno@[\d.]+|deno) task ([\w:-]+)/)?.[1];
    return task === undefined || !(task in tasks);
  });
  assertEquals(unknown, []);
});

Deno.test("the README and CI run the same Deno", () => {
  const versions = (text: string) =>
    new Set([...text.matchAll(/deno@([\d.]+)/g)].map(([, version]) => version));
  const ci = versions(Deno.readTextFileSync(join(ROOT, ".ci", "run")));
  assertEquals(ci.size, 1);
  assertEquals([...versions(readme)].filter((version) => !ci.has(version)), []);
});
