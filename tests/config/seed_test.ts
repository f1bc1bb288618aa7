// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { load } from "./helpers.ts";

Deno.test("the config that mtray exists for runs unchanged", () => {
  const seed = new URL("../interop/seed_gateway.jsonc", import.meta.url);
  const { config, warnings } = load(Deno.readTextFileSync(seed), { strict: true });
  assertEquals(warnings, []);
  assertEquals(
    config.outbounds.map(({ tag, protocol, proxyTag, transportLayer }) => [
      tag,
      protocol,
      proxyTag,
      transportLayer,
    ]),
    [["tg-out", "mtproto", "vmess-out", false], ["vmess-out", "vmess", undefined, false]],
  );
});
