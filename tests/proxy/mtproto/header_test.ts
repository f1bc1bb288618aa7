import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cryptoProvider, workingProviders } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { headerDigest, keysOf, makeHeader, openHeader } from "../../../lib/proxy/mtproto/header.ts";
import { toHex } from "../../../lib/stream/bytes.ts";
import { hex } from "../../support.ts";

const crypto = cryptoProvider();
const text = (words: string) => new TextEncoder().encode(words);

// Two vectors, computed with hashlib and OpenSSL: a client's header with a secret, and a proxy's without.
const plain = hex(
  "a1b2c3d4e5f6071808090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
    "202122232425262728292a2b2c2d2e2f3031323334353637eeeeeeee02005566",
);
const secret = hex("b0cbcef5a486d9636472ac27f8e11a9d");

Deno.test("keys with a secret", () => {
  const { forward, backward } = keysOf(plain, secret);
  assertEquals(toHex(forward.key), "e3695ed1fa1ffb3554a3a8cb9c88571c4f5c7c7b101a84d01a9e8e241cb8d3d1");
  assertEquals(toHex(forward.iv), "28292a2b2c2d2e2f3031323334353637");
  assertEquals(toHex(backward.key), "9aef662e0edb13ddd607e5e76d86fbdb89a21459390fdd0f38b374ea5d7acf6f");
  assertEquals(toHex(backward.iv), "17161514131211100f0e0d0c0b0a0908");
});

Deno.test("keys without a secret", () => {
  const { forward, backward } = keysOf(plain);
  assertEquals(toHex(forward.key), "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627");
  assertEquals(toHex(backward.key), "37363534333231302f2e2d2c2b2a292827262524232221201f1e1d1c1b1a1918");
  assertEquals(toHex(backward.iv), "17161514131211100f0e0d0c0b0a0908");
});

Deno.test("keys of the second vector", () => {
  const header = Uint8Array.from({ length: 64 }, (_, i) => (7 * i + 1) % 256);
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const { forward, backward } = keysOf(header, key);
  assertEquals(toHex(forward.key), "b384f0908a469c08d3504e086403d910b051c75011fa187ee11caf9e6af38138");
  assertEquals(toHex(forward.iv), "1920272e353c434a51585f666d747b82");
  assertEquals(toHex(backward.key), "939d1082965bca2f9d6f2ca8d0b64639b11b05f35b4deab802d9cc2bba714b1f");
  assertEquals(toHex(backward.iv), "a29b948d867f78716a635c554e474039");
});

Deno.test("every provider opens the client's header of the vector", () => {
  const wire = hex(
    "a1b2c3d4e5f6071808090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
      "202122232425262728292a2b2c2d2e2f30313233343536370b9920c4fb0d1f71",
  );
  for (const provider of workingProviders()) {
    const before = wire.slice();
    const opened = openHeader(wire, secret, provider)!;
    assertEquals(wire, before);
    assertEquals([opened.tag, opened.dc], [0xee, 2]);
    assertEquals(toHex(opened.reading.update(text("hello"))), "2e05ba689d");
    const writing = provider.aes256Ctr(opened.downlink.key, opened.downlink.iv);
    assertEquals(toHex(writing.update(text("hello"))), "4db91a5113");
    assertEquals(openHeader(wire, randomBytes(16), provider), null);
    opened.reading.close();
    writing.close();
  }
});

Deno.test("a made header is the vector's, given its random bytes", () => {
  const random = () => plain.slice();
  const made = makeHeader({ tag: 0xee, dc: 2, random, crypto });
  assertEquals(
    toHex(made.wire),
    toHex(plain.subarray(0, 56)) + "4618255e1c009604",
  );
  assertEquals(toHex(made.writing.update(text("hello"))), "5accad4457");
  made.writing.close();
});

Deno.test("what a data centre reads is what was made", () => {
  const ids = [1, 2, 5, 203, -1, -5, 10002, -10003, 32767, -32768];
  for (const dc of ids) {
    for (const tag of [0xef, 0xee, 0xdd]) {
      const { wire, writing } = makeHeader({ tag, dc, random: randomBytes, crypto });
      const { forward } = keysOf(wire);
      const reading = crypto.aes256Ctr(forward.key, forward.iv);
      const clear = reading.update(wire.slice());
      assertEquals([...clear.subarray(56, 60)], [tag, tag, tag, tag]);
      assertEquals(new DataView(clear.buffer, clear.byteOffset).getInt16(60, true), dc);
      assertEquals(reading.update(writing.update(text("the rest"))), text("the rest"));
      reading.close();
      writing.close();
    }
  }
});

Deno.test("adoption: the data centre encrypts with the client's own key", () => {
  const adopt = { key: randomBytes(32), iv: randomBytes(16) };
  const { wire, writing, downlink } = makeHeader({ tag: 0xdd, dc: 4, random: randomBytes, crypto, adopt });
  assertEquals(downlink, adopt);
  assertEquals(toHex(wire.subarray(8, 56)), toHex(Uint8Array.of(...adopt.key, ...adopt.iv).reverse()));
  writing.close();
});

Deno.test("forbidden beginnings are drawn again", () => {
  const forbidden = [
    "ef00000001000000",
    "4845414401000000",
    "504f535401000000",
    "4745542001000000",
    "4f50544901000000",
    "dddddddd01000000",
    "eeeeeeee01000000",
    "1603010201000000",
    "0102030400000000",
  ];
  for (const start of forbidden) {
    const draws = [hex(start + "aa".repeat(56)), hex("0102030405060708" + "bb".repeat(56))];
    const made = makeHeader({ tag: 0xef, dc: 1, random: () => draws.shift()!, crypto });
    assertEquals(draws.length, 0, start);
    assertEquals(toHex(made.wire.subarray(0, 9)), "0102030405060708bb");
    made.writing.close();
  }
});

Deno.test("a digest tells headers apart by bytes 8 to 55 and by nothing else", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.nat(63), (wire, at) => {
    const other = wire.slice();
    other[at] ^= 0x40;
    const same = toHex(headerDigest(wire)) === toHex(headerDigest(other));
    assertEquals(same, at < 8 || at > 55);
  }));
});

Deno.test("noise opens with no secret", () => {
  let opened = 0;
  for (let i = 0; i < 2000; i++) if (openHeader(randomBytes(64), secret, crypto) !== null) opened++;
  assert(opened === 0);
});
