// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { firstConfig } from "../../lib/cli/first_config.ts";
import { inFolder } from "./folder.ts";
import { mtray } from "./program.ts";

const SECRET = "ee000102030405060708090a0b0c0d0e0f7777772e6578616d706c652e636f6d";

/** What comes after what every version --verbose says. */
async function routers(folder: string, args: string[] = []): Promise<string> {
  const { code, stdout, stderr } = await mtray(folder, ["version", "--verbose", ...args]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.replace(/^mtray .*\nreleased .*\nruntime .*\nmachine .*\nciphers .*\n/, "");
}

Deno.test("version --verbose speaks of the routers of a config, where there is one", () =>
  inFolder(async (folder) => {
    assertEquals(await routers(folder), "");
    const config = firstConfig("www.example.com", SECRET);
    Deno.writeTextFileSync(join(folder, "one.jsonc"), config);
    assertMatch(await routers(folder, ["-c", "one.jsonc"]), /^router 1 {2}deno \S+, ciphers from \S.*\n$/);
    const usual = join(folder, "config.jsonc");
    const two = config.replace("{", '{ "workers": 2,').replace('"error": ""', '"error": "never.log"');
    Deno.writeTextFileSync(usual, two);
    assertMatch(await routers(folder), /^config {4}\.\/config\.jsonc\nrouter 1 .*\nrouter 2 .*\n$/);
    Deno.writeTextFileSync(usual, config.replace(SECRET, "ee"));
    assertEquals(await routers(folder), "config    ./config.jsonc, which is wrong: see `mtray test`\n");
    assertEquals((await mtray(folder, ["version", "--verbose", "-c", "config.jsonc"])).code, 23);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["config.jsonc", "one.jsonc"]);
  }));
