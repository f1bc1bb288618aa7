// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { join } from "node:path";
import { checkedDomain } from "../../lib/cli/domains.ts";
import { firstConfig, freshSecret, PORT, writeFirstConfig } from "../../lib/cli/first_config.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { parseSecret } from "../../lib/proxy/mtproto/secret.ts";
import type { MtprotoInboundSettings } from "../../lib/proxy/mtproto/settings.ts";
import { importLink } from "../../lib/cli/share_outbound.ts";
import { jsonLink, shared, spelling } from "./share_links.ts";
import { inFolder } from "./folder.ts";
import { thrown } from "./thrown.ts";

const SECRET = "ee000102030405060708090a0b0c0d0e0f7777772e6578616d706c652e636f6d";

Deno.test("the first config passes every check, without a warning", () => {
  const text = firstConfig("www.example.com", SECRET);
  const { config, warnings } = loadConfig([{ name: "config.jsonc", text }], { strict: true });
  assertEquals(warnings, []);
  assertEquals(config.log, { access: "", error: "", level: "info" });
  const [{ protocol, listen, ports, settings }] = config.inbounds;
  assertEquals([protocol, listen, ports], ["mtproto", "0.0.0.0", [PORT]]);
  const [{ email, secret }] = (settings as MtprotoInboundSettings).users;
  assertEquals([email, secret], ["me", parseSecret(SECRET)]);
  assertEquals(config.outbounds.map(({ protocol, proxyTag }) => [protocol, proxyTag]), [[
    "mtproto",
    undefined,
  ]]);
});

Deno.test("what its comments propose passes too: a second user, and a chain", () => {
  const text = firstConfig("www.example.com", SECRET)
    .replace(/\/\/ (\{ "email": "somebody", "secret": )"\.\.\."/, `$1"dd${SECRET.slice(2, 34)}"`)
    .replace(
      /\/\/ ("proxySettings": \{ "tag": )"\.\.\."( \},)\n\s*\}/,
      '$1"hop"$2 }, { "tag": "hop", "protocol": "freedom" }',
    );
  const { config } = loadConfig([{ name: "config.jsonc", text }], { strict: true });
  assertEquals((config.inbounds[0].settings as MtprotoInboundSettings).users.map(({ email }) => email), [
    "me",
    "somebody",
  ]);
  assertEquals(config.outbounds[0].proxyTag, "hop");
});

Deno.test("with a link it is the whole config of a home gateway, which goes nowhere else", () => {
  fc.assert(
    fc.property(shared, spelling, (server, how) => {
      const { outbound, config: imported } = importLink(jsonLink(server, how));
      const text = firstConfig("www.example.com", SECRET, outbound);
      const { config } = loadConfig([{ name: "config.jsonc", text }], { strict: true });
      assertEquals(config.inbounds.map(({ tag, protocol, ports }) => [tag, protocol, ports]), [
        ["tg-in", "mtproto", [PORT]],
      ]);
      const [tgOut, vmessOut, ...more] = config.outbounds;
      assertEquals([tgOut.tag, tgOut.protocol, tgOut.proxyTag], ["tg-out", "mtproto", "vmess-out"]);
      assertEquals(vmessOut, imported);
      assertEquals(more, []);
      assertEquals(config.routing.rules, [
        { inboundTag: ["tg-in"], outboundTag: "tg-out", path: "routing.rules[0]" },
      ]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("it is written once, for its owner only, with a fresh secret", () =>
  inFolder((folder) => {
    const name = join(folder, "config.jsonc");
    assertEquals(writeFirstConfig(name, fresh(), randomBytes), true);
    assertEquals(Deno.statSync(name).mode! & 0o777, 0o600);
    const text = Deno.readTextFileSync(name);
    assertEquals(writeFirstConfig(name, fresh(), randomBytes), false);
    assertEquals(Deno.readTextFileSync(name), text);

    const other = join(folder, "other.jsonc");
    writeFirstConfig(other, fresh(), randomBytes);
    assert(secretIn(text) !== secretIn(Deno.readTextFileSync(other)));
    assertEquals(parseSecret(secretIn(text)).domain, checkedDomain("www.example.com"));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "config.jsonc",
      "other.jsonc",
    ]);
  }));

Deno.test("where it cannot be written, a sentence says why, and nothing stays behind", () =>
  inFolder((folder) => {
    const name = join(folder, "nowhere", "config.jsonc");
    const error = thrown(() => writeFirstConfig(name, fresh(), randomBytes));
    assertEquals(error.code, "start");
    assertMatch(error.message, /^cannot write .*config\.jsonc: there is no such file or folder$/);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

function fresh(): string {
  return firstConfig("www.example.com", freshSecret("www.example.com", randomBytes));
}

function secretIn(text: string): string {
  return /"secret": "(ee[0-9a-f]+)"/.exec(text)![1];
}
