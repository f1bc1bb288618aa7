/** What the README tells owners to write must be right. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { firstConfig } from "../../lib/cli/first_config.ts";
import { COMMANDS } from "../../lib/cli/mod.ts";
import { loadConfig } from "../../lib/config/load.ts";

const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const configs = [...readme.matchAll(/^```jsonc\n([\s\S]*?)^```/gm)].map(([, text]) => text);
const first = firstConfig(
  "www.example.com",
  "ee000102030405060708090a0b0c0d0e0f7777772e6578616d706c652e636f6d",
);

Deno.test("the README's configs pass every check, alone where they are whole, or beside the first config", () => {
  const whole = (text: string) => /"inbounds"/.test(text) && /"outbounds"/.test(text);
  assert(configs.filter(whole).length >= 4 && configs.length >= 7);
  for (const text of configs) {
    const file = { name: "README.md", text };
    const files = whole(text) ? [file] : [{ name: "config.jsonc", text: first }, file];
    assertEquals(loadConfig(files, { strict: true }).warnings, []);
  }
});

Deno.test("the README's table has every command", () => {
  for (const { name } of COMMANDS) assert(readme.includes(`\n| \`mtray ${name}`), name);
});
