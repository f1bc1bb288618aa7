// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { cryptoProvider } from "../../../lib/crypto/provider.ts";
import { type Circumstances, judge, type Verdict } from "../../../lib/proxy/mtproto/first_flight.ts";
import { parseSecret } from "../../../lib/proxy/mtproto/secret.ts";
import { Users } from "../../../lib/proxy/mtproto/users.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { DigestTable } from "../../../lib/stream/digest_table.ts";
import { eachSplit, hex } from "../../support.ts";
import { buildClientHello, signHello } from "../../telegram/client_hello.ts";
import { initiate, TAGS } from "../../telegram/obfuscated2.ts";

const classicKey = hex("b0cbcef5a486d9636472ac27f8e11a9d");
const paddedKey = hex("000102030405060708090a0b0c0d0e0f");
const tlsKey = hex("ffeeddccbbaa99887766554433221100");
const NOW = 1_790_000_000;

const user = (text: string) => ({ secret: parseSecret(text), email: "", level: 0 });
const domain = (name: string) => toHex(new TextEncoder().encode(name));
const classic = user(toHex(classicKey));
const padded = user("dd" + toHex(paddedKey));
const tls = user("ee" + toHex(tlsKey) + domain("example.com"));

const mixed = new Users([classic, padded, tls]);
const plainOnly = new Users([classic, padded]);
const tlsOnly = new Users([tls]);

function circumstances(changes: Partial<Circumstances> = {}): Circumstances {
  const table = new DigestTable();
  return {
    crypto: cryptoProvider(),
    time: NOW,
    maxTimeDiff: 120,
    lastSeen: undefined,
    known: (digest) => table.has(digest),
    remember: (digest) => table.add(digest),
    ...changes,
  };
}

/** Feeds growing bytes as a connection does, up to the first verdict that is not "more". */
function judgePieces(
  pieces: Uint8Array[],
  users: Users,
  hasSite: boolean,
  when = circumstances(),
): [Verdict, number] {
  let bytes = new Uint8Array();
  let verdict: Verdict = judge(bytes, users, hasSite, when);
  for (const piece of pieces) {
    if (verdict.kind !== "more") break;
    bytes = concat(bytes, piece);
    verdict = judge(bytes, users, hasSite, when);
  }
  return [verdict, bytes.length];
}

function outcome(bytes: Uint8Array, users: Users, hasSite: boolean, when?: Circumstances): string {
  const [verdict, length] = judgePieces(
    Array.from(bytes, (byte) => Uint8Array.of(byte)),
    users,
    hasSite,
    when,
  );
  const what = verdict.kind === "stranger" ? verdict.reason : verdict.kind;
  return `${what} at ${length}`;
}

const hello = (changes = {}) =>
  buildClientHello({ secret: tlsKey, domain: "example.com", time: NOW, ...changes }).record;

Deno.test("a header of every framing is its user's, cut anywhere", () => {
  for (const [secret, expected] of [[classicKey, "classic"], [paddedKey, "dd"]] as const) {
    for (const tag of TAGS) {
      const { header } = initiate({ tag, dc: -4, secret });
      eachSplit(concat(header, hex("0102")), (pieces) => {
        for (const [users, site] of [[mixed, true], [plainOnly, false], [plainOnly, true]] as const) {
          const [verdict] = judgePieces(pieces, users, site);
          assert(verdict.kind === "header");
          assertEquals([verdict.user.secret.kind, verdict.header.tag, verdict.header.dc], [
            expected,
            tag,
            -4,
          ]);
          verdict.header.reading.close();
        }
      });
    }
  }
});

Deno.test("an ee secret without FakeTLS is nobody", () => {
  const { header } = initiate({ tag: 0xdd, dc: 2, secret: tlsKey });
  header[0] = 0x42;
  assertEquals(outcome(header, mixed, true), "not-a-hello at 64");
  assertEquals(outcome(header, tlsOnly, true), "not-a-hello at 1");
  assertEquals(outcome(header, plainOnly, false), "not-a-hello at 64");
});

Deno.test("a hello of its user, cut anywhere", () => {
  for (const shape of ["chrome-2025", "chrome-2019", "safari-2019"] as const) {
    const record = hello({ shape });
    eachSplit(record, (pieces) => {
      const [verdict, length] = judgePieces(pieces, mixed, true);
      assert(verdict.kind === "hello");
      assertEquals([verdict.used, length], [record.length, record.length]);
      assertEquals(verdict.suite, shape === "safari-2019" ? 0x1303 : 0x1301);
    });
  }
});

Deno.test("why a hello is shown the site", () => {
  const length = hello({ shape: "chrome-2019" }).length;
  const cases: [string, Uint8Array][] = [
    ["wrong-name", hello({ shape: "chrome-2019", domain: "other.example.org" })],
    ["wrong-secret", hello({ shape: "chrome-2019", secret: classicKey })],
    ["stale", hello({ shape: "chrome-2019", time: NOW - 121 })],
    ["stale", hello({ shape: "chrome-2019", time: NOW + 121 })],
    ["no-common-cipher", hello({ shape: "chrome-2019", ciphers: [0xc02b, 0xc02f] })],
    ["no-common-cipher", hello({ shape: "chrome-2019", sessionId: new Uint8Array() })],
    ["no-common-cipher", hello({ shape: "chrome-2019", keyShares: [] })],
  ];
  for (const [reason, record] of cases) {
    assertEquals(outcome(record, mixed, true), `${reason} at ${record.length}`);
    assertEquals(outcome(record, tlsOnly, true), `${reason} at ${record.length}`);
    assert(Math.abs(record.length - length) < 200);
  }
  // On a port without ee users it is read to its end all the same: its name says which site.
  const record = hello();
  assertEquals(outcome(record, plainOnly, true), `wrong-name at ${record.length}`);
});

Deno.test("the clock: within two minutes, and not judged while ours is not set", () => {
  for (const time of [NOW - 120, NOW, NOW + 120]) {
    assertEquals(judge(hello({ time }), mixed, true, circumstances()).kind, "hello");
  }
  const stale = judge(hello({ time: NOW + 143 }), mixed, true, circumstances());
  assert(stale.kind === "stranger");
  assertEquals([stale.detail, stale.clockDiffers], ["clock differs by +143 s", 143]);
  const early = judge(hello({ time: NOW - 500 }), mixed, true, circumstances());
  assert(early.kind === "stranger");
  assertEquals([early.detail, early.clockDiffers], ["clock differs by -500 s", -500]);
  assertEquals(judge(hello({ time: 5 }), mixed, true, circumstances({ time: undefined })).kind, "hello");
  assertEquals(
    judge(hello({ time: NOW - 500 }), mixed, true, circumstances({ maxTimeDiff: 500 })).kind,
    "hello",
  );
});

Deno.test("a replay is known, also with another time or other free bytes", () => {
  const when = circumstances();
  const record = hello();
  assertEquals(judge(record, mixed, true, when).kind, "hello");
  assertEquals(outcome(record, mixed, true, when), `replay at ${record.length}`);
  for (const time of [NOW + 60, NOW + 5000]) {
    const restamped = signHello(record, tlsKey, time);
    assertEquals(outcome(restamped, mixed, true, when), `replay at ${record.length}`);
  }

  const { header } = initiate({ tag: 0xee, dc: 2, secret: classicKey });
  assertEquals(judge(header, mixed, true, when).kind, "header");
  for (const at of [0, 7, 60, 61, 62, 63]) {
    const changed = header.slice();
    changed[at] ^= 0x11;
    const verdict = judge(changed, mixed, true, when);
    assertEquals(verdict.kind === "stranger" && verdict.reason, "replay", `byte ${at}`);
  }
});

Deno.test("what has not authenticated is not remembered", () => {
  let remembered = 0;
  const when = circumstances({ remember: () => ++remembered > 0 });
  judge(hello({ secret: classicKey }), mixed, true, when);
  judge(hello({ domain: "other.example" }), mixed, true, when);
  judge(hello({ time: NOW - 1000 }), mixed, true, when);
  judge(crypto.getRandomValues(new Uint8Array(64)), mixed, true, when);
  assertEquals(remembered, 0);
});

Deno.test("HTTP is known at once; other noise after 64 bytes where a header could still come", () => {
  for (const word of ["GET / HTTP/1.1\r\n", "POST /x", "HEAD /", "OPTIONS *"]) {
    const bytes = new TextEncoder().encode(word.padEnd(80, "."));
    assertEquals(outcome(bytes, mixed, true), "http at 4");
    assertEquals(outcome(bytes, tlsOnly, true), "not-a-hello at 1");
    assertEquals(outcome(bytes, plainOnly, false), "not-a-hello at 64");
  }
  assertEquals(outcome(hex("16030100" + "00".repeat(80)), mixed, true), "bad-record at 64");
  assertEquals(outcome(hex("16030100" + "00".repeat(80)), tlsOnly, true), "bad-record at 5");
});

Deno.test("a header that happens to begin like a broken hello is found", () => {
  const start = concat(hex("1603010000ffffff"), crypto.getRandomValues(new Uint8Array(48)));
  const { header } = initiate({ tag: 0xee, dc: 3, secret: classicKey, start });
  const verdict = judge(header, mixed, true, circumstances());
  assertEquals(verdict.kind, "header");
});

Deno.test("the user seen last is tried first", () => {
  const many = Array.from({ length: 50 }, (_, i) => user(`dd${i.toString(16).padStart(32, "0")}`));
  const users = new Users(many);
  const { header } = initiate({ tag: 0xdd, dc: 1, secret: many[49].secret.key });
  let tried = 0;
  const crypto = {
    ...cryptoProvider(),
    name: "counting",
    aes256Ctr: (key: Uint8Array, iv: Uint8Array) => (tried++, cryptoProvider().aes256Ctr(key, iv)),
  };
  const all = judge(header, users, false, circumstances({ crypto }));
  assert(all.kind === "header" && all.user.id === users.plain[49].id);
  assertEquals(tried, 50);
  judge(header, users, false, circumstances({ crypto, lastSeen: users.plain[49].id }));
  assertEquals(tried, 51);
});
