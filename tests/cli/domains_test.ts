// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { checkedDomain, DOMAINS, drawDomain } from "../../lib/cli/domains.ts";
import { thrown } from "./thrown.ts";

Deno.test("the list has at least 30 different names, each fit for a secret", () => {
  assert(DOMAINS.length >= 30);
  assertEquals(new Set(DOMAINS).size, DOMAINS.length);
  for (const name of DOMAINS) assertEquals(checkedDomain(name), name);
});

Deno.test("no name is one that other proxies put in front, or Telegram's own", () => {
  const overused =
    /google|cloudflare|microsoft|bing\.|apple|icloud|amazon|aws|azure|github|yandex|telegram|t\.me/;
  for (const name of DOMAINS) assert(!overused.test(name), name);
});

Deno.test("every name can be drawn, and different draws give different names", () => {
  const drawn = new Set<string>();
  for (let i = 0; i < 65_536; i++) drawn.add(drawDomain(() => Uint8Array.of(i >> 8, i & 255)));
  assertEquals([...drawn].sort(), [...DOMAINS].sort());
});

Deno.test("domains are taken in any case and script, and nothing else is taken", () => {
  assertEquals(checkedDomain(" WWW.Example.COM "), "www.example.com");
  assertEquals(checkedDomain("bücher.example"), "xn--bcher-kva.example");
  for (
    const text of ["", "localhost", "192.0.2.1", "https://a.org", "a.org:443", "a..org", "-a.org", "a b.org"]
  ) {
    assertEquals(thrown(() => checkedDomain(text)).code, "usage", text);
  }
});
