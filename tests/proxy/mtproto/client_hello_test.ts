// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { gatherHello, parseHello, verifyHello } from "../../../lib/proxy/mtproto/client_hello.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { eachSplit, hex } from "../../support.ts";
import {
  buildClientHello,
  evenCuts,
  HELLO_SHAPES,
  splitIntoRecords,
  X25519,
  X25519_MLKEM768,
} from "../../telegram/client_hello.ts";

const secret = Uint8Array.from({ length: 16 }, (_, i) => i);

/** 517 bytes whose proof was computed with hashlib, for the time 1700000000. */
function vector(): Uint8Array {
  const record = new Uint8Array(517);
  record.set(hex("16030102000100" + "01fc0303"));
  record.set(hex("72d06617e225c78f9ca6280a0dfbf1e48e4b1de6144acf0dffd82e16ffb28e40"), 11);
  record[43] = 32;
  for (let i = 0; i < 32; i++) record[44 + i] = i;
  return record;
}

/** The last answer to growing bytes; every one before must be "more". */
function grow(pieces: Uint8Array[]): ReturnType<typeof gatherHello> {
  let bytes = new Uint8Array();
  for (const piece of pieces) {
    bytes = concat(bytes, piece);
    const gathered = gatherHello(bytes);
    if (gathered.state !== "more" || bytes.length === concat(...pieces).length) return gathered;
  }
  return { state: "more" };
}

Deno.test("the proof of the vector", () => {
  const message = vector().subarray(5);
  const proof = verifyHello(secret, message)!;
  assertEquals(proof.time, 1_700_000_000);
  assertEquals(verifyHello(new Uint8Array(16), message), null);
  // Whoever records it can change the time, but not what it is remembered by.
  const restamped = message.slice();
  restamped[6 + 31] ^= 0x55;
  restamped[6 + 28] ^= 0xaa;
  const again = verifyHello(secret, restamped)!;
  assert(again.time !== proof.time);
  assertEquals(again.digest, proof.digest);
});

Deno.test("every changed byte breaks the proof, but for the four of the time", () => {
  const message = vector().subarray(5);
  for (let at = 0; at < message.length; at++) {
    const changed = message.slice();
    changed[at] ^= 1;
    assertEquals(verifyHello(secret, changed) !== null, at >= 6 + 28 && at < 6 + 32, `byte ${at}`);
  }
});

Deno.test("hellos of real clients are gathered and read, cut anywhere", () => {
  for (const shape of HELLO_SHAPES) {
    const { record, sessionId, ciphers } = buildClientHello({ secret, domain: "www.Example.com", shape });
    eachSplit(record, (pieces) => {
      const gathered = grow(pieces);
      assertEquals(gathered.state, "hello");
      if (gathered.state === "hello") {
        assertEquals([gathered.message.length, gathered.used], [record.length - 5, record.length]);
      }
    });
    const hello = parseHello(record.subarray(5));
    assertEquals(hello.wellFormed, true);
    assertEquals(hello.serverName, "www.example.com");
    assertEquals(hello.sessionId, sessionId);
    assertEquals(hello.cipherSuites.filter((suite) => ciphers.includes(suite)).length, ciphers.length);
    assertEquals(hello.offersX25519, true);
    assert(verifyHello(secret, record.subarray(5)) !== null);
  }
});

Deno.test("a hello in up to ten records is the same hello", () => {
  const { record } = buildClientHello({ secret, domain: "example.com" });
  for (let records = 1; records <= 10; records++) {
    const wire = splitIntoRecords(record, evenCuts(record.length - 5, records));
    const after = hex("140303000101");
    const gathered = gatherHello(concat(wire, after));
    assert(gathered.state === "hello");
    assertEquals(gathered.used, wire.length);
    assertEquals(toHex(gathered.message), toHex(record.subarray(5)));
  }
  // Records that cut the message's own header.
  const tiny = splitIntoRecords(record, [1, 2, 3, 4, 5, 6]);
  eachSplit(tiny, (pieces) => assertEquals(grow(pieces).state, "hello"));
  const eleven = splitIntoRecords(record, evenCuts(record.length - 5, 11));
  assertEquals(gatherHello(eleven), { state: "other", reason: "bad-hello" });
});

Deno.test("what cannot be a hello is known as early as can be", () => {
  const cases: [string, string, string][] = [
    ["", "47", "not-a-hello"],
    ["16", "04", "not-a-hello"],
    ["1603", "03", "not-a-hello"],
    ["16030100", "00", "bad-record"],
    ["16030140", "01", "bad-record"],
    ["16030102", "00" + "02", "bad-hello"],
    ["1603010200010040", "00", "bad-hello"],
    ["160301000401000001" + "16030100", "00", "bad-record"],
    ["160301000401000001" + "1603", "03", "bad-hello"],
    ["160301000801", "000001", "bad-hello"],
  ];
  for (const [before, last, reason] of cases) {
    assertEquals(gatherHello(hex(before)).state, "more", before);
    assertEquals(
      gatherHello(hex(before + last)),
      { state: "other", reason: reason as "bad-hello" },
      before + last,
    );
  }
});

Deno.test("a hello that is damaged anywhere is read or refused, never more", () => {
  const { record } = buildClientHello({ secret, domain: "example.com", shape: "chrome-2019" });
  const message = record.subarray(5);
  for (let at = 0; at < message.length; at++) {
    for (const bit of [1, 0x80, 0xff]) {
      const changed = message.slice();
      changed[at] ^= bit;
      parseHello(changed);
    }
    assertEquals(parseHello(message.subarray(0, at)).wellFormed, false);
  }
});

Deno.test("an x25519 share counts, and no other", () => {
  for (
    const [keyShares, offered] of [[[X25519], true], [[X25519_MLKEM768], false], [[0x17], false], [
      [],
      false,
    ]] as const
  ) {
    const { record } = buildClientHello({ secret, domain: "example.com", keyShares });
    assertEquals(parseHello(record.subarray(5)).offersX25519, offered);
  }
});

Deno.test("a name counts that stands before the place where a hello stops making sense", () => {
  const { record } = buildClientHello({ secret, domain: "example.com", shape: "chrome-2019" });
  const message = record.subarray(5);
  const cut = parseHello(message.subarray(0, -10));
  assertEquals([cut.wellFormed, cut.serverName], [false, "example.com"]);
  const longer = parseHello(concat(message, new Uint8Array(3)));
  assertEquals([longer.wellFormed, longer.serverName], [false, "example.com"]);
});
