// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { Aes128Block } from "../../lib/crypto/aes_block.ts";
import { cpuHasAes } from "../../lib/crypto/cpu.ts";
import { crc32, fnv1a32, md5, sha256 } from "../../lib/crypto/hash.ts";
import { cryptoProvider, workingProviders } from "../../lib/crypto/provider.ts";
import { Sha256State } from "../../lib/crypto/sha256_state.ts";
import { Shake128 } from "../../lib/crypto/shake128.ts";
import { toHex } from "../../lib/stream/bytes.ts";
import { hex } from "../support.ts";

const text = (words: string) => new TextEncoder().encode(words);

Deno.test("MD5 of RFC 1321, over parts", () => {
  assertEquals(toHex(md5()), "d41d8cd98f00b204e9800998ecf8427e");
  assertEquals(toHex(md5(text("message"), text(" digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
});

Deno.test("CRC-32 and FNV-1a of their published values", () => {
  assertEquals([crc32(text("123456789")), crc32(text(""))], [0xcbf43926, 0]);
  assertEquals([fnv1a32(text("")), fnv1a32(text("a")), fnv1a32(text("foobar"))], [
    0x811c9dc5,
    0xe40c292c,
    0xbf9cf968,
  ]);
});

Deno.test("a SHA-256 that is gone on from more than once, with messages of any length behind it", () => {
  const bytes = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => i * 7 + from);
  const blocks = [bytes(64, 1), bytes(64, 2)];
  const states = [new Sha256State()];
  for (const block of blocks) states.push(states[states.length - 1].after(block));
  const into = new Uint8Array(32);
  for (let length = 0; length <= 200; length++) {
    const message = bytes(length);
    for (const [i, state] of states.entries()) {
      const expected = sha256(...blocks.slice(0, i), message);
      assertEquals(state.digest(message), expected);
      assertEquals(state.digest(message, into), expected);
    }
  }
  // The digest of a digest, in the same memory.
  const digest = states[1].digest(into.slice());
  assertEquals(states[1].digest(into, into), digest);
  for (const wrong of [0, 63, 65, 128]) {
    assertThrows(() => states[0].after(new Uint8Array(wrong)), RangeError);
  }
});

Deno.test("SHAKE128 of the empty text and of a short one, over the ends of its batches", () => {
  const numbers = (seed: Uint8Array, count: number) => {
    const stream = new Shake128(seed);
    return Array.from({ length: count }, () => stream.next16().toString(16).padStart(4, "0")).join("");
  };
  assertEquals(
    numbers(new Uint8Array(), 16),
    "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
  );
  // 1,000 bytes of `openssl dgst -shake128 -xoflen 1000` over "abc"; the last 16 of them.
  assertEquals(numbers(text("abc"), 500).slice(-32), "d3bb59c135a057202a6cfe2237dfde3a");
});

Deno.test("a SHAKE128 stream does not look at its seed again", () => {
  const seed = new Uint8Array(16).fill(3);
  const stream = new Shake128(seed), other = new Shake128(seed);
  seed.fill(0);
  other.next16();
  stream.next16();
  assertEquals(stream.next16(), other.next16());
  assertEquals(new Shake128(new Uint8Array(16).fill(3)).next16() === new Shake128(seed).next16(), false);
});

Deno.test("AES-128 of FIPS 197, C.1, both ways", () => {
  const cipher = new Aes128Block(hex("000102030405060708090a0b0c0d0e0f"));
  const plain = hex("00112233445566778899aabbccddeeff");
  const sealed = cipher.encrypt(plain);
  assertEquals(toHex(sealed), "69c4e0d86a7b0430d8cdb78070b4c55a");
  assertEquals(toHex(cipher.decrypt(sealed)), toHex(plain));
  assertEquals(toHex(plain), "00112233445566778899aabbccddeeff");
  // A view that starts anywhere.
  assertEquals(toHex(cipher.decrypt(Uint8Array.of(0, ...sealed).subarray(1))), toHex(plain));
  assertThrows(() => cipher.encrypt(new Uint8Array(15)), RangeError);
  assertThrows(() => new Aes128Block(new Uint8Array(32)), RangeError);
});

Deno.test("which processors have AES", () => {
  const x64 = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme aes xsave\nbugs\t\t: aes\n";
  assertEquals(cpuHasAes("x64", x64), true);
  assertEquals(cpuHasAes("x64", x64.replace("vme aes", "vme vaes")), false);
  const pi5 = "processor\t: 0\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2\nCPU part\t: 0xd0b\n";
  const pi4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n";
  assertEquals([cpuHasAes("arm64", pi5), cpuHasAes("arm64", pi4)], [true, false]);
  assertEquals(["x64", "arm64", "mips"].map((name) => cpuHasAes(name, null)), [true, false, false]);
  assertEquals(cpuHasAes("x64", ""), false);
});

Deno.test("which providers are fast at AES-128-GCM is a table", () => {
  const isBun = "Bun" in globalThis;
  const table = Object.fromEntries(workingProviders().map((each) => [each.name, each.fastAes128Gcm]));
  const ofNode = Object.keys(table).filter((name) => name.includes("node:crypto"));
  assertEquals(ofNode.map((name) => table[name]), [isBun, isBun]);
  assertEquals(table["JavaScript"], false);
  const native = Object.keys(table).filter((name) => name.endsWith("through FFI"));
  assertEquals(native.map((name) => table[name]), native.map(() => true));
  assertEquals(cryptoProvider().fastAes128Gcm, table[cryptoProvider().name]);
});
