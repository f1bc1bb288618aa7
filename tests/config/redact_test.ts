// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hideAllValues, scrub } from "../../lib/config/redact.ts";
import { formatSecret } from "../../lib/proxy/mtproto/secret.ts";
import { CLASSIC, configLike, EE, inboundLike, screen } from "./helpers.ts";

/** Pieces of this length that are in both. */
function shared(secret: string, message: string, length = 8): string[] {
  const pieces = Array.from(
    { length: Math.max(1, secret.length - length + 1) },
    (_, i) => secret.slice(i, i + length),
  );
  return pieces.filter((piece) => message.includes(piece));
}

Deno.test("each secret of a quoted line is dots of the same length", () => {
  const line =
    `"users": [{"secret": "${CLASSIC}"}, {"Secret": "too short"}, {"secret": 12345}], "pass": "p\\"w", "x": 1`;
  const text = configLike({ inbounds: [inboundLike({ settings: {} })] }).replace(
    '"settings": {}',
    `"settings": {${line}}`,
  );
  const quoted = new Set(
    screen(text).split("\n").filter((each) => each.includes("users") && !each.includes(": must")),
  );
  const [long, short, number] = [CLASSIC.length, 9, 5].map((length) => "•".repeat(length));
  assertEquals([...quoted], [
    `        "settings": {"users": [{"secret": "${long}"}, {"Secret": "${short}"}, {"secret": ${number}}], ` +
    '"pass": "••••", "x": •}',
  ]);
});

Deno.test("values are hidden by the names of their keys, anywhere", () => {
  for (
    const key of [
      "secret",
      "id",
      "pass",
      "password",
      "token",
      "key",
      "keys",
      "SECRET",
      "Id",
      "secert",
      "pasword",
    ]
  ) {
    for (const value of ['"hunter2"', '["hunter2", {"a": "hunter2"}]', '{"hunter": {"x": "hunter2"}}']) {
      const text = configLike().replace('"tag": "in"', `"tag": 5, "deep": {"${key}": ${value}}`);
      assertEquals(screen(text).includes("hunter2"), false, screen(text));
    }
  }
});

Deno.test("secrets of a section that is refused, and so not read, are hidden", () => {
  const vmess = { protocol: "vmess", settings: { vnext: [{ users: [{ id: "hunter2", email: "a" }] }] } };
  const text = configLike().replace('"outbounds": [', `"outbounds": [${JSON.stringify(vmess)},`);
  const [, quoted] = screen(text).split("\n");
  const line =
    '  "outbounds": [{"protocol":"vmess","settings":{"vnext":[{"users":[{"id":"•••••••","email":"a"}]}]}},';
  assertEquals(quoted, `  ${line}`);
});

Deno.test("a hidden text is hidden wherever it stands again", () => {
  const secret = "correct horse";
  const text = configLike({ inbounds: [inboundLike({ settings: { users: [{ secret }] }, listen: secret })] })
    .replace('"listen"', `// it is ${secret}\n"listen"`).replaceAll(
      /\n\s*/g,
      (space) => space.length > 4 ? " " : space,
    );
  assertEquals(shared(secret, screen(text), 13), []);
  assertEquals(
    screen(text).includes('must be an IP address or localhost; got "•••••••••••••"'),
    true,
    screen(text),
  );
});

Deno.test("what looks like a secret is hidden under any key, and in a comment", () => {
  const looks = [
    CLASSIC,
    EE,
    `dd${CLASSIC}`,
    "sMvO9aSG2WNkcqwn-OEanQ",
    "27848739-7e62-4138-9fd3-098a63964b6b",
  ];
  for (const secret of looks) {
    for (const field of ["listen", "tagg", "port", secret]) {
      const text = configLike({ inbounds: [inboundLike({ [field]: secret, mux: 1 })] })
        .replace(/"mux": 1/, `"prot": 1 // was ${secret}`);
      assertEquals(shared(secret, screen(text)), [], screen(text));
    }
  }
});

Deno.test("scrub() keeps the length, and plain words", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(fc.string({ minLength: 6 })), (text, secrets) => {
      assertEquals(scrub(text, secrets).length, text.length);
    }),
  );
  for (
    const text of [
      "inbounds[0].settings.users[0].secret",
      "www.example.com:8443",
      "2001:db8:1:2:3:4:5:6",
      "/etc/mtray/config.jsonc",
    ]
  ) {
    assertEquals(scrub(text, []), text);
  }
});

Deno.test("hideAllValues() leaves keys, numbers, true, false, null and punctuation", () => {
  const cases: [string, string][] = [
    [
      '  {"secret": "abc", "port": 443, "a": [true, null]}',
      '  {"secret": "•••", "port": 443, "a": [true, null]}',
    ],
    ['"secret": "abc', '"secret": "•••'],
    ['"secret": abc}', '"secret": •••}'],
    ['"secret: "abc"', '"••••••••"•••"'],
    ['"secret" "abc"', '"••••••" "•••"'],
    ['"a": "x" // abc "d"', '"a": "•" // ••• •••'],
    ['"a": 1 # abc', '"a": 1 # •••'],
    ['"a\\"b": "c\\"d"', '"••••": "••••"'],
    ["'abc'", "•••••"],
  ];
  for (const [line, expected] of cases) assertEquals(hideAllValues(line), expected);
});

const secrets = fc.record({
  kind: fc.constantFrom("classic" as const, "dd" as const, "ee" as const),
  // Without the small numbers that fast-check likes: pieces of a secret are then in no message by chance.
  key: fc.noBias(fc.uint8Array({ minLength: 16, maxLength: 16 })),
}).map(({ kind, key }) => formatSecret({ kind, key, domain: kind === "ee" ? "cdn.example.net" : "" }));

/** A config that carries the secret in several places, on one line or on many. */
function withSecret(secret: string, indent: number): string {
  const users = [{ secret, email: "a@b", level: 0 }, { secret: CLASSIC }];
  return JSON.stringify(
    JSON.parse(configLike({ inbounds: [inboundLike({ settings: { users } })] })),
    null,
    indent,
  );
}

Deno.test("no message shows a secret, wherever the text is cut", () => {
  fc.assert(
    fc.property(secrets, fc.constantFrom(0, 2), (secret, indent) => {
      const text = withSecret(secret, indent);
      for (let length = 0; length < text.length; length++) {
        assertEquals(shared(secret, screen(text.slice(0, length))), [], text.slice(0, length));
      }
    }),
    { numRuns: 5 },
  );
});

Deno.test("no message shows a secret, whatever character is changed, dropped or put in", () => {
  const change = fc.record({
    at: fc.nat(),
    drop: fc.nat(2),
    put: fc.constantFrom(
      "",
      '"',
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "x",
      "0",
      " ",
      "\n",
      "\\",
      "/",
      "#",
      "//",
      "/*",
      "'",
    ),
  });
  fc.assert(
    fc.property(
      secrets,
      fc.constantFrom(0, 2),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (secret, indent, changes) => {
        let text = withSecret(secret, indent);
        for (const { at, drop, put } of changes) {
          const from = at % text.length;
          text = text.slice(0, from) + put + text.slice(from + drop);
        }
        assertEquals(shared(secret, screen(text), 10), [], text);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("no message shows a secret that stands under another key", () => {
  const keys = ["tag", "listen", "port", "protocol", "settings", "prot", "tagg", "unknown", "streamSettings"];
  fc.assert(fc.property(secrets, fc.constantFrom(...keys), fc.boolean(), (secret, key, upper) => {
    const value = upper ? secret.toUpperCase() : secret;
    const text = configLike({ inbounds: [inboundLike({ [key]: value, port: "x" })] });
    assertEquals(shared(value, screen(text), 10), [], screen(text));
  }));
});

Deno.test("a long key in camel case is no secret", () => {
  for (
    const key of [
      "tcpFastOpenQueueLength",
      "pinnedPeerCertSha256",
      "verifyPeerCertByName",
      "pinnedPeerCertificateChainSha256",
    ]
  ) {
    assertEquals(scrub(`streamSettings.${key}: has no effect`, []), `streamSettings.${key}: has no effect`);
  }
  for (const secret of ["kQzRvTyWbNmLpXcGhJdF", "aBcDefGhiJklMnoPqrSt", "abCdeFghIjkLmnOpqRst"]) {
    assertEquals(scrub(secret, []), "•".repeat(20));
  }
});
