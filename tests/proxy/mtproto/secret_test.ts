// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../lib/errors.ts";
import { formatSecret, parseSecret, type Secret } from "../../../lib/proxy/mtproto/secret.ts";

const HEX = "000102030405060708090a0b0c0d0eff";
const KEY = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
const DOMAIN = "7777772e676f6f676c652e636f6d";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function hexOfText(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function messageFor(text: string): string {
  return (assertThrows(() => parseSecret(text), MtrayError) as MtrayError).message;
}

Deno.test("parseSecret() reads the three generations in hex, in either case", () => {
  assertEquals(parseSecret(HEX), { kind: "classic", key: KEY, domain: "" });
  assertEquals(parseSecret(HEX.toUpperCase()), { kind: "classic", key: KEY, domain: "" });
  assertEquals(parseSecret(`dd${HEX}`), { kind: "dd", key: KEY, domain: "" });
  assertEquals(parseSecret(`DD${HEX}`), { kind: "dd", key: KEY, domain: "" });
  assertEquals(parseSecret(`ee${HEX}${DOMAIN}`), { kind: "ee", key: KEY, domain: "www.google.com" });
  assertEquals(parseSecret(`eE${HEX}${DOMAIN.toUpperCase()}`), {
    kind: "ee",
    key: KEY,
    domain: "www.google.com",
  });
});

Deno.test("parseSecret() reads base64 and base64url, padded or not", () => {
  for (const hex of [HEX, `dd${HEX}`, `ee${HEX}${DOMAIN}`, `ee${HEX}${hexOfText("ab.example.org")}`]) {
    const padded = base64(bytesOf(hex));
    const bare = padded.replaceAll("=", "");
    const expected = parseSecret(hex);
    for (const text of [padded, bare, url(padded), url(bare)]) assertEquals(parseSecret(text), expected);
  }
  // Both alphabets, where it matters.
  const key = `${"fb".repeat(8)}${"ff".repeat(8)}`;
  assertEquals(formatSecret(parseSecret(base64(bytesOf(key)))), key);
  assertEquals(formatSecret(parseSecret(url(base64(bytesOf(key))))), key);
  function url(text: string): string {
    return text.replaceAll("+", "-").replaceAll("/", "_");
  }
});

Deno.test("text that is hex of a possible length is hex", () => {
  // As base64 it would be 24 bytes that begin with 0x69.
  assertEquals(parseSecret("a".repeat(32)).key, new Uint8Array(16).fill(0xaa));
});

Deno.test("a domain comes out in lower case", () => {
  assertEquals(parseSecret(`ee${HEX}${hexOfText("WWW.Example.COM")}`).domain, "www.example.com");
  assertEquals(parseSecret(`ee${HEX}${hexOfText("xn--e1afmkfd.xn--p1ai")}`).domain, "xn--e1afmkfd.xn--p1ai");
});

Deno.test("parseSecret() says what is wrong", () => {
  const forms = "must be 32 hex characters, or dd/ee and a secret";
  const cases: [string, string][] = [
    ["", "must not be empty"],
    [` ${HEX}`, "must not contain blanks"],
    [`${HEX}\n`, "must not contain blanks"],
    [HEX.slice(1), `${forms}; got 31 characters`],
    [`${HEX}0`, `${forms}; got 33 characters`],
    [`aa${HEX}`, `${forms}; got 34 characters`],
    [`dd${HEX.slice(2)}`.slice(0, 31), `${forms}; got 31 characters`],
    [`dd${HEX}00`, `${forms}; got 36 characters`],
    [`dd${HEX.slice(1)}`, `${forms}; got 33 characters`],
    [`ee${HEX}`, "must name a domain after ee and 32 hex characters, as hex; got none"],
    [`ee${HEX}a`, "must have two hex characters for each byte; got 35 characters"],
    [`${HEX.slice(0, 30)}zz`, `${forms}; got 32 characters, 2 of them not hex`],
    ["0123456789abcdef0123456789abcde!", `${forms}; got 32 characters, 1 of them not hex`],
    ["not a secret".replaceAll(" ", "?"), `${forms}; got 12 characters, 8 of them not hex`],
    ["c2hvcnQ=", `${forms}, or base64url of the same bytes; got base64 of 5 bytes`],
    [
      base64(new Uint8Array(17).fill(200)),
      `${forms}, or base64url of the same bytes; got base64 of 17 bytes`,
    ],
    [base64(bytesOf(`dd${HEX}00`)), `${forms}, or base64url of the same bytes; got base64 of 18 bytes`],
  ];
  for (const [text, message] of cases) assertEquals(messageFor(text), message);
});

Deno.test("parseSecret() refuses what is not a host name", () => {
  const notAName = "must name a domain that is a host name, such as example.com";
  const cases = [
    ...[
      "192.0.2.1",
      "1.2.3",
      "0x7f.1",
      "2001:db8::1",
      "[::1]",
      "-a.com",
      "a-.com",
      "a..com",
      ".com",
      "com.",
      ".",
    ],
    ...["a_b.com", "a b.com", "exa mple", "a/b", "a:443", `${"a".repeat(64)}.com`, `${"a.".repeat(126)}com`],
    ...["127.0.0.0x1", "example.123"],
  ];
  for (const name of cases) assertEquals(messageFor(`ee${HEX}${hexOfText(name)}`), notAName, name);
  assertEquals(
    messageFor(`ee${HEX}${hexOfText("пример.рф")}`),
    "must name a domain in ASCII; write an international name in its xn-- form",
  );
  for (
    const name of [
      "a",
      "localhost",
      "3com.com",
      "1.example",
      `${"a".repeat(63)}.com`,
      `${"a.".repeat(125)}com`,
    ]
  ) {
    assertEquals(parseSecret(`ee${HEX}${hexOfText(name)}`).domain, name);
  }
});

const secrets: fc.Arbitrary<Secret> = fc.record({
  kind: fc.constantFrom("classic" as const, "dd" as const, "ee" as const),
  key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  name: fc.domain(),
}).filter(({ name }) => name.length <= 200).map(({ kind, key, name }) => ({
  kind,
  key,
  domain: kind === "ee" ? name.toLowerCase() : "",
}));

Deno.test("formatSecret() is what parseSecret() reads", () => {
  fc.assert(fc.property(secrets, (secret) => {
    const hex = formatSecret(secret);
    assertEquals(parseSecret(hex), secret);
    assertEquals(parseSecret(base64(bytesOf(hex))), secret);
  }));
});

Deno.test("no message holds a piece of the secret", () => {
  fc.assert(fc.property(
    secrets,
    fc.nat(),
    fc.constantFrom("", "x", "0", "!", " "),
    (secret, at, extra) => {
      const hex = formatSecret(secret);
      const cut = hex.slice(0, at % hex.length) + extra + hex.slice(at % hex.length + 1);
      try {
        parseSecret(cut);
      } catch (error) {
        const { message } = error as MtrayError;
        for (let i = 0; i + 8 <= cut.length; i++) assertEquals(message.includes(cut.slice(i, i + 8)), false);
      }
    },
  ));
});

Deno.test("parseSecret() throws nothing but MtrayError", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: "binary" })), (text) => {
    try {
      parseSecret(text);
    } catch (error) {
      if (!(error instanceof MtrayError)) throw error;
      assertEquals(error.code, "config");
    }
  }));
});
