// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { matchDomain } from "../../lib/routing/domain.ts";

const HOSTS = [
  "example.com",
  "www.example.com",
  "notexample.com",
  "example.com.evil",
  "WWW.Example.COM",
  "example.org",
];

function matched(...items: string[]): string[] {
  return HOSTS.filter(matchDomain(items));
}

Deno.test("plain text and keyword: are found anywhere", () => {
  assertEquals(matched("example.com"), HOSTS.slice(0, 5));
  assertEquals(matched("keyword:EXAMPLE.com"), HOSTS.slice(0, 5));
  assertEquals(matched("evil"), ["example.com.evil"]);
});

Deno.test("domain: is the name and what is below it", () => {
  assertEquals(matched("domain:example.com"), ["example.com", "www.example.com", "WWW.Example.COM"]);
  assertEquals(matched("Domain:Example.Com"), ["example.com", "www.example.com", "WWW.Example.COM"]);
});

Deno.test("full: is the name alone", () => {
  assertEquals(matched("full:www.example.com"), ["www.example.com", "WWW.Example.COM"]);
  assertEquals(matchDomain(["full:example.com"])("example.com."), true);
});

Deno.test("regexp: looks for its pattern, in any case", () => {
  assertEquals(matched("regexp:^(www\\.)?example\\.(com|org)$"), [
    "example.com",
    "www.example.com",
    "WWW.Example.COM",
    "example.org",
  ]);
  assertEquals(matched("regexp:(?i)^WWW"), ["www.example.com", "WWW.Example.COM"]);
  assertEquals(matchDomain(["regexp:^a:b$"])("a:b"), true);
});

Deno.test("several items: one is enough", () => {
  assertEquals(matched("full:example.org", "evil"), ["example.com.evil", "example.org"]);
});

Deno.test("an address is no domain", () => {
  const everything = matchDomain(["regexp:.*", "1"]);
  assertEquals(["127.0.0.1", "::1", "[::1]", "::ffff:1.1.1.1"].filter(everything), []);
  assertEquals(everything("a1.example"), true);
});

Deno.test("what is not an item says so", () => {
  const prefixes = "must begin with domain:, full:, keyword: or regexp:, or be plain text without a colon";
  const cases: [string, string][] = [
    ["geosite:cn", "must name domains: this version reads no list files"],
    ["ext:file:tag", "must name domains: this version reads no list files"],
    ["ext-domain:file:tag", "must name domains: this version reads no list files"],
    ["dotless:", "must not be empty"],
    ["dotless:local", prefixes],
    [
      "example.com:443",
      "must begin with domain:, full:, keyword: or regexp:, or be plain text without a colon",
    ],
    ["", "must not be empty"],
    ["domain:", "must not be empty"],
    ["regexp:(", "must be a regular expression after regexp:"],
    ["regexp:a**", "must be a regular expression after regexp:"],
  ];
  for (const [item, message] of cases) {
    assertEquals((assertThrows(() => matchDomain([item]), MtrayError) as MtrayError).message, message, item);
  }
});
