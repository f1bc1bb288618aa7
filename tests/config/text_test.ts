// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { formatComplaint, Report } from "../../lib/config/complaint.ts";
import { parseText } from "../../lib/config/text.ts";

/** The value, or the complaints as a person sees them. */
function parsed(text: string | Uint8Array): unknown {
  const report = new Report();
  const found = parseText("f", text, report);
  return report.errorCount > 0 ? report.errors().map(formatComplaint).join("\n") : found!.value;
}

Deno.test("comments of three kinds, trailing commas and a byte order mark are fine", () => {
  const text = `\ufeff# first
{ // one
  "a": 1, # two "quoted" // both
  /* three
     lines # */ "b": [1, 2,], # last
  "c#": "# not // a /* comment */ \\" # neither", // "d": 1
}# end`;
  const expected = { a: 1, b: [1, 2], "c#": '# not // a /* comment */ " # neither' };
  assertEquals(parsed(text), expected);
  assertEquals(parsed(new TextEncoder().encode(text)), expected);
  assertEquals(parsed(text.replaceAll("\n", "\r\n")), expected);
});

Deno.test("a comment that begins with # may stand right behind a value", () => {
  assertEquals(parsed("[1# one\n,true# yes\n]# end"), [1, true]);
});

Deno.test("a syntax error says where and what", () => {
  const cases: [string, string][] = [
    ['{"a":1 "b"}', '1:8 cannot be read: a comma must stand before this\n  {"a":1 "•"}\n         ^'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3 cannot be read: a comma must stand before this\n  "b": 2\n    ^'],
    ['{"a" 1}', '1:6 cannot be read: a colon must stand here\n  {"•" 1}\n       ^'],
    ['{"a":}', '1:6 cannot be read: a value must stand here\n  {"a":}\n       ^'],
    ["[1,,2]", "1:4 cannot be read: a value must stand here\n  [1,,2]\n     ^"],
    [
      "{a:1}",
      "1:2 cannot be read: only quoted text, a number, true, false or null may stand here\n  {•:1}\n   ^",
    ],
    ['{1:"a"}', '1:2 cannot be read: a key in double quotes must stand here\n  {1:"•"}\n   ^'],
    [
      "{'a':1}",
      "1:2 cannot be read: only quoted text, a number, true, false or null may stand here\n  {•••:1}\n   ^",
    ],
    ['{"a":1', '1:7 cannot be read: a closing } must stand here\n  {"a":1\n        ^'],
    ["[1", "1:3 cannot be read: a closing ] must stand here\n  [1\n    ^"],
    ["1 2", "1:3 cannot be read: nothing may follow the end of the config\n  1 2\n    ^"],
    ["/* a", "1:1 cannot be read: this comment does not end\n  /* •\n  ^"],
    ['["a', '1:2 cannot be read: this text has no closing quote\n  ["•\n   ^'],
    ['["a\\x"]', '1:2 cannot be read: this text has a backslash where none may be\n  ["•••"]\n   ^'],
    ['["\\u12"]', '1:2 cannot be read: this text has a broken \\u escape\n  ["••••"]\n   ^'],
    ['["a\tb"]', '1:2 cannot be read: this text has a character that must be escaped\n  ["•••"]\n   ^'],
    ["[1.]", "1:2 cannot be read: this number is not complete\n  [1.]\n   ^"],
    ["", "1:1 cannot be read: it is empty\n  \n  ^"],
    ["\ufeff # nothing", "1:1 cannot be read: it is empty\n   # •••••••\n  ^"],
  ];
  for (const [text, expected] of cases) {
    const got = parsed(text);
    // The quoted line keeps its own indent.
    assertEquals(String(got).replaceAll('\n    "b"', '\n  "b"'), `f:${expected}`, text);
  }
});

Deno.test("bytes that are not UTF-8 are counted", () => {
  const bytes = (text: string, ...more: number[]) =>
    Uint8Array.of(...new TextEncoder().encode(text), ...more);
  assertEquals(
    parsed(bytes('{\n"é": "', 0xc3, 0x28)),
    'f:2:7 cannot be read: it is not UTF-8 at byte 9\n  "•": "••\n        ^',
  );
  assertEquals(parsed(bytes("\ufeff{", 0xff)), "f:1:2 cannot be read: it is not UTF-8 at byte 4\n  {•\n   ^");
  assertEquals(parsed(bytes("[", 0xe2, 0x82)), "f:1:2 cannot be read: it is not UTF-8 at byte 1\n  [•\n   ^");
  const utf16 = "cannot be read: it is UTF-16; save it as UTF-8";
  assertEquals(String(parsed(Uint8Array.of(0xff, 0xfe, 0x7b, 0))).split("\n")[0], `f:1:1 ${utf16}`);
  assertEquals(String(parsed(Uint8Array.of(0xfe, 0xff, 0, 0x7b))).split("\n")[0], `f:1:1 ${utf16}`);
});

Deno.test("nesting has an end", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assertEquals(typeof parsed(nested(100)), "object");
  const complaint = "f:1:101 cannot be read: objects and lists must not be nested deeper than 100";
  assertEquals(String(parsed(nested(101))).split("\n")[0], complaint);
  assertEquals(String(parsed("[".repeat(1_000_000))).split("\n")[0], complaint);
  // Brackets in texts and comments are none.
  assertEquals(parsed(`["${"[".repeat(200)}" /* ${"{".repeat(200)} */ ] // ${"{".repeat(200)}`), [
    "[".repeat(200),
  ]);
});

Deno.test("a key that stands twice in one object is an error", () => {
  assertEquals(
    parsed('{"a": 1, "b": {"a": 2, "c": 3,\n "c": 4}, "a": 5}'),
    'f:2:2 b.c: stands twice in one object\n   "c": 4}, "a": 5}\n   ^\n' +
      'f:2:11 a: stands twice in one object\n   "c": 4}, "a": 5}\n            ^',
  );
  assertEquals(parsed('[{"a": 1}, {"a": 1}]'), [{ a: 1 }, { a: 1 }]);
  assertEquals(
    parsed('{"__proto__": 1}'),
    'f:1:2 __proto__: is not a key that can be used\n  {"__proto__": 1}\n   ^',
  );
});
