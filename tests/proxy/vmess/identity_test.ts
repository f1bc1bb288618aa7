// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../lib/errors.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import { decodeAddress, encodeAddress } from "../../../lib/proxy/vmess/address.ts";
import { AuthIds } from "../../../lib/proxy/vmess/auth_id.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { kdf, kdf12, kdf16, SALT } from "../../../lib/proxy/vmess/kdf.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { hex } from "../../support.ts";
import { VECTORS } from "./vectors.ts";

const text = (words: string) => new TextEncoder().encode(words);
const account = new Account(parseId(VECTORS.uuid));

Deno.test("an id is 32 hex digits, with a UUID's dashes or without", () => {
  const id = "27848739-7e62-4138-9fd3-098a63964b6b";
  const plain = id.replaceAll("-", "");
  for (const form of [id, plain, id.toUpperCase(), plain.toUpperCase()]) {
    assertEquals(toHex(parseId(form)), plain);
  }
});

Deno.test("a text of up to 30 bytes stands for the UUID that Xray makes of it", () => {
  // Python: uuid.uuid5(uuid.UUID(int=0), …)
  const known: [string, string][] = [
    ["example", "feb54431301b52bba6dde1e93e81bb9e"],
    ["a", "35b65f33a6795e76af3c273ea349ede4"],
    ["x".repeat(30), "53267599dc745b79bef155ca25ed44c9"],
    ["пароль", "656bdd3fa33954208c714b561ae81ec7"],
  ];
  for (const [name, id] of known) assertEquals(toHex(parseId(name)), id);
});

Deno.test("anything else is no id, and is not shown", () => {
  const id = VECTORS.uuid, plain = id.replaceAll("-", "");
  const wrong = [
    "",
    "x".repeat(31),
    "ä".repeat(16),
    ...[33, 34, 35, 37].map((length) => "a".repeat(length)),
    "g" + plain.slice(1),
    plain.slice(0, -1) + "-",
    id.slice(0, -1),
    id + "0",
    id.replace("-", "x"),
    plain.slice(0, 8) + "-" + plain.slice(8),
    id.replace("7e62-", "-7e62"),
    ` ${plain.slice(1)}`,
  ];
  for (const each of wrong) {
    const error = assertThrows(() => parseId(each), MtrayError, "must be a UUID") as MtrayError;
    assertEquals(error.code, "config");
    assert(each === "" || !error.message.includes(each));
  }
});

Deno.test("the nested KDF: V2Ray's own vector, and keys of a known account", () => {
  const path = ["", "2", "3"].map((end) => text(`Demo Path for KDF Value Test${end}`));
  assertEquals(toHex(kdf(text("Demo Key for KDF Value Test"), ...path)), VECTORS.kdfOfUpstream);
  assertEquals(toHex(account.cmdKey), VECTORS.cmdKey);
  assertEquals(toHex(kdf(account.cmdKey)), VECTORS.kdfWithoutPath);
  assertEquals(toHex(kdf16(account.cmdKey, SALT.authId)), VECTORS.authIdKey);
  const path2 = [hex(VECTORS.authId), hex(VECTORS.nonce)];
  assertEquals(toHex(kdf16(account.cmdKey, SALT.requestLengthKey, ...path2)), VECTORS.lengthKey);
  assertEquals(toHex(kdf12(account.cmdKey, SALT.requestLengthNonce, ...path2)), VECTORS.lengthNonce);
  assertEquals(toHex(kdf16(account.cmdKey, SALT.requestKey, ...path2)), VECTORS.headerKey);
  assertEquals(toHex(kdf12(account.cmdKey, SALT.requestNonce, ...path2)), VECTORS.headerNonce);
});

Deno.test("a path element longer than a block is hashed by the HMAC below", () => {
  const long = text("x".repeat(65));
  assertEquals(kdf(account.cmdKey, long), kdf(account.cmdKey, kdf(long)));
  assertEquals(kdf(account.cmdKey, text("a"), long), kdf(account.cmdKey, text("a"), kdf(long, text("a"))));
});

Deno.test("an auth id tells its user the time, and others nothing", () => {
  const wire = account.authIds.seal(VECTORS.time, hex(VECTORS.authIdRandom));
  assertEquals(toHex(wire), VECTORS.authId);
  assertEquals(account.authIds.open(wire), VECTORS.time);
  assertEquals(new Account(parseId("somebody else")).authIds.open(wire), null);
  for (let bit = 0; bit < 128; bit++) {
    const changed = wire.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(account.authIds.open(changed), null);
  }
});

Deno.test("an auth id holds any time, also one before 1970", () => {
  const ids = new AuthIds(account.cmdKey);
  for (const time of [0, 1, -1, 2 ** 31, 2 ** 40, -(2 ** 40)]) {
    assertEquals(ids.open(ids.seal(time, new Uint8Array(4))), time);
  }
});

Deno.test("addresses of every kind, port first", () => {
  const cases: [string, number, string][] = [
    ["example.com", 443, "01bb020b6578616d706c652e636f6d"],
    ["192.0.2.1", 53, "003501c0000201"],
    ["2001:db8::1", 65535, "ffff0320010db8000000000000000000000001"],
    ["[2001:db8::1]", 80, "00500320010db8000000000000000000000001"],
  ];
  for (const [host, port, wire] of cases) {
    assertEquals(toHex(encodeAddress({ host, port })), wire);
    const target = { host: host.replace(/[[\]]/g, ""), port };
    assertEquals(decodeAddress(hex(wire)), { target, used: wire.length / 2 });
    const around = concat(Uint8Array.of(1, 2), hex(wire), Uint8Array.of(3));
    assertEquals(decodeAddress(around, 2), { target, used: wire.length / 2 });
    for (let length = 0; length < wire.length / 2; length++) {
      assertEquals(decodeAddress(hex(wire).subarray(0, length)), null);
    }
  }
});

Deno.test("an IP address in another form is what it is", () => {
  const mapped = decodeAddress(hex("01bb03" + "00000000000000000000ffffc0000201"));
  assertEquals(mapped?.target.host, "192.0.2.1");
  const asName = (name: string) =>
    decodeAddress(concat(hex("01bb02"), Uint8Array.of(name.length), text(name)));
  assertEquals(asName("192.0.2.1")?.target.host, "192.0.2.1");
  assertEquals(asName("2001:DB8::1")?.target.host, "2001:db8::1");
  assertEquals(asName("[2001:db8::1]")?.target.host, "2001:db8::1");
});

Deno.test("what is no address is refused", () => {
  const wrong = [
    "01bb0000",
    "01bb0441",
    "01bb0200",
    "01bb02020a41",
    "01bb0203612062",
    "01bb0202c3a4",
    "01bb02022f61",
  ];
  for (const wire of wrong) {
    const error = assertThrows(
      () => decodeAddress(hex(wire)),
      MtrayError,
      "cannot read an address",
    ) as MtrayError;
    assertEquals(error.code, "protocol");
  }
  for (const host of ["", "a".repeat(256)]) {
    assertThrows(() => encodeAddress({ host, port: 1 }), MtrayError, "1 to 255 bytes");
  }
});

Deno.test("any bytes are an address, the beginning of one, or refused", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    try {
      const read = decodeAddress(bytes);
      if (read !== null) assert(read.used <= bytes.length && read.target.host !== "");
    } catch (error) {
      assertEquals((error as MtrayError).code, "protocol");
    }
  }));
});
