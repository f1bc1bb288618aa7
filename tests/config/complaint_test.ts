// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/config/complaint.ts";
import { MtrayError } from "../../lib/errors.ts";
import { CLASSIC, configLike, inboundLike, load, screen } from "./helpers.ts";

const LONG_SECRET = CLASSIC.slice(1);

Deno.test("a complaint has its place, the line and a caret", () => {
  const text = `{
  "inbounds": [
    {
      "port": 443, "protocol": "mtproto",
      "settings": {
        "users": [{ "secret": "${LONG_SECRET}", "email": "a@b" }]
      }
    }
  ],
  "outbounds": [{ "protocol": "mtproto" }]
}`;
  assertEquals(
    screen(text),
    `config.jsonc:6:31 inbounds[0].settings.users[0].secret: ` +
      "must be 32 hex characters, or dd/ee and a secret; got 31 characters\n" +
      '          "users": [{ "secret": "•••••••••••••••••••••••••••••••", "email": "a@b" }]\n' +
      "                                ^",
  );
});

Deno.test("complaints come in file order, however they were found", () => {
  const text = `{
  "routing": { "rules": [{ "outboundTag": "nowhere", "port": 0 }] },
  "dns": { "servers": ["1.1.1.1"] },
  "outbounds": [{ "protocol": "vless" }],
  "inbounds": [{ "port": 70000, "protocol": "mtproto", "settings": { "users": [] } }],
  "log": { "loglevel": "loud" }
}`;
  const places = (assertThrows(() => load(text), ConfigError) as ConfigError).complaints.map((
    { line, path },
  ) => `${line} ${path}`);
  assertEquals(places, [
    "2 routing.rules[0].port",
    "3 dns",
    "4 outbounds[0].protocol",
    "5 inbounds[0].port",
    "5 inbounds[0].settings.users",
    "6 log.loglevel",
  ]);
});

Deno.test("ConfigError is an MtrayError whose message is all of it", () => {
  const text = configLike({ dns: { a: 1 }, api: { tag: "api" } });
  const error = assertThrows(() => load(text), ConfigError) as ConfigError;
  assert(error instanceof MtrayError);
  assertEquals([error.code, error.name, error.complaints.length], ["config", "ConfigError", 2]);
  assertEquals(error.message.split("\n").length, 6);
  const [{ file, line, column, path, text: said, excerpt }] = error.complaints;
  assertEquals([file, line, column, path], ["config.jsonc", 22, 3, "dns"]);
  assertEquals(said, "is not in this version: the system resolves names");
  assertEquals(excerpt, '    "dns": {\n    ^');
});

Deno.test("tabs do not shift the caret", () => {
  const text = configLike().replace('  "outbounds"', '\t"dns":\t{"a":\t1},\t"dnz": 1, "outbounds"');
  // The quoted line and the line of the caret hold the same tabs, so a terminal indents both alike.
  assertEquals(screen(text).split("\n").slice(0, 3), [
    "config.jsonc:16:2 dns: is not in this version: the system resolves names",
    '  \t"dns":\t{"a":\t1},\t"dnz": •, "outbounds": [',
    "  \t^",
  ]);
  assertEquals(screen(text).split("\n").slice(3), [
    'config.jsonc:16:19 dnz: is not a known key: did you mean "dns"?',
    '  \t"dns":\t{"a":\t1},\t"dnz": •, "outbounds": [',
    "  \t      \t     \t   \t^",
  ]);
});

Deno.test("wide characters take two columns in a terminal", () => {
  const text = configLike({ inbounds: [inboundLike({ tag: "一二三" })] }).replace(
    '"port": 8443',
    '"port": 0.5',
  )
    .replace(/\s*\n\s*/g, " ");
  const [, line, caret] = screen(text).split("\n");
  assertEquals(
    line.slice(0, 41),
    '  { "inbounds": [ { "tag": "一二三", "port": 0.5'.slice(0, 41),
  );
  assertEquals(caret.length, '  { "inbounds": [ { "tag": "xxxxxx", "port": 0'.length);
});

Deno.test("a long line is cut around the caret", () => {
  const users = Array.from(
    { length: 40 },
    (_, i) => ({ secret: (i + 100) + CLASSIC.slice(3), email: `user${i}` }),
  );
  const text = JSON.stringify(
    JSON.parse(
      configLike({ inbounds: [inboundLike({ settings: { users: [...users, { email: "none" }] } })] }),
    ),
  );
  const [head, line, caret] = screen(text).split("\n");
  assertEquals(head.slice(head.indexOf(" ")), " inbounds[0].settings.users[40].secret: is missing");
  assertEquals(line.length, 2 + 60 + 50);
  assertEquals(line.slice(0, 3) + line.at(-1), "  ……");
  assertEquals(line.slice(caret.length - 1, caret.length + 15), '{"email":"none"}');
});

Deno.test("without secrets, complaints quote what they got", () => {
  const got = (fields: Record<string, unknown>) =>
    screen(configLike({ inbounds: [inboundLike(fields)] })).split("\n")[0].replace(/^\S+ \S+ /, "");
  assertEquals(got({ listen: "example.com" }), 'must be an IP address or localhost; got "example.com"');
  assertEquals(got({ listen: 5 }), "must be text in quotes; got a number");
  assertEquals(got({ listen: ["::"] }), "must be text in quotes; got a list");
  assertEquals(got({ listen: {} }), "must be text in quotes; got an object");
  assertEquals(got({ listen: true }), "must be text in quotes; got true");
  assertEquals(got({ listen: "x.".repeat(50) }), "must be an IP address or localhost; got 100 characters");
});
