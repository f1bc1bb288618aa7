import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { cryptoProvider, workingProviders } from "../../lib/crypto/provider.ts";
import { hmacSha256, sha256 } from "../../lib/crypto/hash.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { toHex } from "../../lib/stream/bytes.ts";
import { hex } from "../support.ts";

const text = (words: string) => new TextEncoder().encode(words);

Deno.test("AES-256-CTR of NIST SP 800-38A, F.5.5", () => {
  const key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const counter = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const plain = hex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
  );
  const expected = "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5" +
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";
  for (const provider of workingProviders()) {
    const cipher = provider.aes256Ctr(key, counter);
    assertEquals(toHex(cipher.update(plain.slice())), expected, provider.name);
    cipher.close();
  }
});

Deno.test("the plain JavaScript and the runtime's own provider always work", () => {
  const names = workingProviders().map(({ name }) => name);
  assert(names.some((name) => name.startsWith("node:crypto")) && names.includes("JavaScript"));
  assertEquals(cryptoProvider().name, names[0]);
});

Deno.test("every provider makes the same stream, however it is cut", () => {
  const key = randomBytes(32);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.nat(5000), { maxLength: 8 }),
      (iv, lengths) => {
        const streams = workingProviders().map((provider) => {
          const cipher = provider.aes256Ctr(key, iv);
          const result = lengths.map((length) => toHex(cipher.update(new Uint8Array(length)))).join("");
          cipher.close();
          return result;
        });
        assertEquals(new Set(streams).size, 1);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a freed cipher refuses, and freeing it again is harmless", () => {
  for (const provider of workingProviders()) {
    const cipher = provider.aes256Ctr(new Uint8Array(32), new Uint8Array(16));
    cipher.update(new Uint8Array(3));
    cipher.close();
    cipher.close();
    assertThrows(() => cipher.update(new Uint8Array(3)), Error, "the cipher was freed");
  }
});

Deno.test("keys of a wrong length are refused by every provider", () => {
  for (const provider of workingProviders()) {
    assertThrows(() => provider.aes256Ctr(new Uint8Array(31), new Uint8Array(16)));
    assertThrows(() => provider.aes256Ctr(new Uint8Array(32), new Uint8Array(15)));
  }
});

Deno.test("ciphers leave what lies around their bytes alone", () => {
  for (const provider of workingProviders()) {
    const whole = new Uint8Array(100).fill(7);
    const cipher = provider.aes256Ctr(new Uint8Array(32), new Uint8Array(16));
    cipher.update(whole.subarray(20, 80));
    cipher.update(whole.subarray(50, 50));
    cipher.close();
    assertEquals([...whole.subarray(0, 20), ...whole.subarray(80)], Array(40).fill(7));
  }
});

Deno.test("SHA-256 and HMAC-SHA-256 over parts", () => {
  assertEquals(
    toHex(sha256(text("a"), text("bc"))),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  // RFC 4231, test case 2.
  assertEquals(
    toHex(hmacSha256(text("Jefe"), text("what do ya want "), text("for nothing?"))),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});
