/** AES-256-CTR of every provider: cut anywhere, parked anywhere, at once and with promises. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Evp, openEvp } from "../../lib/crypto/evp.ts";
import { parkSilentCiphers } from "../../lib/crypto/ctr.ts";
import { LibcryptoCtr } from "../../lib/crypto/libcrypto_ctr.ts";
import { workingProviders } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import type { Cipher } from "../../lib/crypto/types.ts";
import { type Subtle, WebAes } from "../../lib/crypto/web_aes.ts";
import { WebCtr } from "../../lib/crypto/web_ctr.ts";
import { MtrayError } from "../../lib/errors.ts";
import type { Pointer } from "../../lib/runtime/ffi.ts";
import { concat, toHex } from "../../lib/stream/bytes.ts";
import { eachSplit, hex } from "../support.ts";

const counting = Uint8Array.from({ length: 32 }, (_, i) => i);

/** Computed with `openssl enc -aes-256-ctr` (OpenSSL 3.0) of zero bytes. */
const VECTORS = [
  {
    // NIST SP 800-38A, F.5.5, all four blocks.
    key: hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
    iv: hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
    text: hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    ),
    result: "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5" +
      "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
  },
  {
    key: counting,
    iv: hex("ffffffffffffffffffffffffffffffff"),
    text: new Uint8Array(50),
    result:
      "e999e41d4ca770da5387117b5d8f57eef29000b62a499fd0a9f39a6add2e7780f05d76ae4ab99fe5a6f69b3148c2363d0ebc",
  },
  {
    key: counting,
    iv: hex("00000000fffffffffffffffffffffffe"),
    text: new Uint8Array(50),
    result:
      "01759906f894f0b5b6e978e4516c428b1fe13868b5871ca55d2a84aaa4bf068c9dba41a777f3b46a37b7aaae49d6df8d197b",
  },
  {
    key: counting,
    iv: hex("000000000000000000000000ffffffff"),
    text: new Uint8Array(50),
    result:
      "b9c2739810cba157a9fe6a108c6e569e641d1a3a80becff6f0f38f9764fdcf96367ef8288831557408e102950a16e26a15d6",
  },
];

const LARGE = 16 << 10;

Deno.test("known vectors, cut everywhere, by every provider", () => {
  for (const { name, aes256Ctr } of workingProviders()) {
    for (const { key, iv, text, result } of VECTORS) {
      eachSplit(text, (pieces) => {
        const cipher = aes256Ctr(key, iv);
        assertEquals(toHex(concat(...pieces.map((piece) => cipher.update(piece)))), result, name);
        cipher.close();
      });
    }
  }
});

Deno.test("known vectors, parked everywhere, by every provider", () => {
  for (const { name, aes256Ctr } of workingProviders()) {
    for (const { key, iv, text, result } of VECTORS) {
      for (let cut = 0; cut <= text.length; cut++) {
        const cipher = aes256Ctr(key, iv);
        const before = cipher.update(text.slice(0, cut)).slice();
        parkAll();
        assertEquals(toHex(concat(before, cipher.update(text.slice(cut)))), result, `${name}, ${cut}`);
        cipher.close();
      }
    }
  }
});

Deno.test("pieces of all sizes, at once or not, with parks in between, are the same stream", async () => {
  const step = fc.record({
    length: fc.oneof(fc.nat(40), fc.integer({ min: LARGE - 20, max: 3 * LARGE })),
    soon: fc.boolean(),
    park: fc.boolean(),
    // What lies in front of the bytes in their buffer.
    front: fc.nat(20),
  });
  const iv = fc.oneof(
    fc.constant(new Uint8Array(16).fill(0xff)),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  for (const { name, aes256Ctr } of workingProviders().filter(({ name }) => name !== "JavaScript")) {
    await fc.assert(
      fc.asyncProperty(iv, fc.array(step, { maxLength: 12 }), async (iv, steps) => {
        const key = randomBytes(32);
        const whole = aes256Ctr(key, iv), cipher = aes256Ctr(key, iv);
        const results: (Uint8Array | Promise<Uint8Array>)[] = [];
        for (const { length, soon, park, front } of steps) {
          const bytes = new Uint8Array(front + length + 3).subarray(front, front + length);
          if (park) parkAll();
          if (!soon || cipher.updateSoon === undefined) results.push(cipher.update(bytes));
          else results.push(await settledTurn(cipher.updateSoon(bytes)));
        }
        const total = steps.reduce((sum, { length }) => sum + length, 0);
        const expected = whole.update(new Uint8Array(total));
        assertEquals(equal(concat(...await Promise.all(results)), expected), true, name);
        whole.close();
        cipher.close();
      }),
      { numRuns: 25 },
    );
  }
});

Deno.test("large pieces go to Web Crypto, several at a time, and every one knows its place", async () => {
  const key = randomBytes(32), iv = new Uint8Array(16).fill(0xff);
  const plain = workingProviders().find(({ name }) => name.startsWith("node:crypto"))!;
  const cipher = new WebCtr(key, iv, new WebAes());
  const before = await goingFar(cipher);
  const lengths = [7, LARGE + 1, 3, LARGE, LARGE + 30, 1, 2 * LARGE];
  const results = lengths.map((length) => {
    const bytes = new Uint8Array(length);
    const result = cipher.updateSoon(bytes);
    assertEquals(result instanceof Promise, length >= LARGE);
    // It has been read, so the lender may have it back.
    bytes.fill(0xff);
    return result;
  });
  const expected = plain.aes256Ctr(key, iv);
  expected.update(new Uint8Array(before));
  const total = lengths.reduce((sum, length) => sum + length);
  const got = concat(...await Promise.all(results));
  assertEquals(equal(got, expected.update(new Uint8Array(total))), true);
  cipher.close();
  expected.close();
});

Deno.test("results are the argument, or in a buffer of their own", async () => {
  for (const { name, aes256Ctr } of workingProviders()) {
    const cipher = aes256Ctr(new Uint8Array(32), new Uint8Array(16));
    cipher.update(new Uint8Array(5));
    for (const length of [LARGE, LARGE, 100_000]) {
      const bytes = new Uint8Array(length + 40).subarray(20, 20 + length);
      for (const result of [cipher.update(bytes), await cipher.updateSoon?.(bytes)]) {
        if (result === undefined || result === bytes) continue;
        // Not a Buffer, whose slice() is no copy.
        assertEquals(result.constructor, Uint8Array, name);
        assert(result.buffer !== bytes.buffer, name);
        assertEquals(result.buffer.byteLength - result.length < 32, true, name);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    cipher.close();
  }
});

Deno.test("a wrong Web Crypto is never used, nor one that is not there", async () => {
  const real = crypto.subtle;
  const wrong: Subtle["encrypt"] = async (...[algorithm, key, bytes]) => {
    const result = await real.encrypt(algorithm, key, bytes);
    new Uint8Array(result)[result.byteLength - 1] ^= 1;
    return result;
  };
  const importKey: Subtle["importKey"] = real.importKey.bind(real) as Subtle["importKey"];
  const short: Subtle["encrypt"] = async (...args) => (await real.encrypt(...args)).slice(0, 100);
  const broken = () => Promise.reject(new Error("no such algorithm"));
  const absent = () => {
    throw new TypeError("not a function");
  };
  for (
    const subtle of [
      { importKey, encrypt: wrong },
      { importKey, encrypt: short },
      { importKey, encrypt: broken },
      { importKey, encrypt: absent },
      { importKey: broken, encrypt: real.encrypt.bind(real) },
      { importKey: absent, encrypt: real.encrypt.bind(real) },
    ]
  ) {
    const web = new WebAes(subtle);
    const cipher = new WebCtr(counting, VECTORS[1].iv, web);
    const first = cipher.updateSoon(new Uint8Array(LARGE));
    assertEquals(toHex((first as Uint8Array).subarray(0, 50)), VECTORS[1].result);
    assertEquals(await web.key(counting.slice()), null);
    assert(cipher.updateSoon(new Uint8Array(LARGE)) instanceof Uint8Array);
    cipher.close();
  }
});

Deno.test("a cipher that is freed while it is at work rejects, and one that was freed refuses", async () => {
  const cipher = new WebCtr(randomBytes(32), randomBytes(16), new WebAes());
  await goingFar(cipher);
  const result = cipher.updateSoon(new Uint8Array(LARGE));
  cipher.close();
  const error = await assertRejects(async () => await result, MtrayError, "the cipher was freed");
  assertEquals((error as MtrayError).code, "closed");
  assertThrows(() => cipher.updateSoon(new Uint8Array(LARGE)), MtrayError, "the cipher was freed");
  assertThrows(() => cipher.updateSoon(new Uint8Array(1)), MtrayError, "the cipher was freed");

  // While its key is on the way.
  const early = new WebCtr(randomBytes(32), randomBytes(16), new WebAes());
  early.updateSoon(new Uint8Array(LARGE));
  early.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertThrows(() => early.updateSoon(new Uint8Array(LARGE)), MtrayError, "the cipher was freed");
});

Deno.test("a parked cipher that is freed refuses", () => {
  for (const { aes256Ctr } of workingProviders()) {
    const cipher = aes256Ctr(counting, new Uint8Array(16));
    cipher.update(new Uint8Array(3));
    parkAll();
    cipher.close();
    cipher.close();
    assertThrows(() => cipher.update(new Uint8Array(3)), MtrayError, "the cipher was freed");
    parkAll();
  }
});

Deno.test("a cipher is parked after two looks without use, and everything of OpenSSL's is freed once", () => {
  const counted = countingEvp();
  if (counted === null) return;
  const { made, freed, cipher } = counted;
  const ciphers = Array.from({ length: 5 }, () => cipher());
  const use = (some: Cipher[]) => some.forEach((each) => each.update(new Uint8Array(20)));
  // Nothing is made before it is needed.
  assertEquals([made(), freed()], [0, 0]);
  use(ciphers);
  assertEquals([made(), freed()], [5, 0]);
  parkSilentCiphers();
  assertEquals([made(), freed()], [5, 0]);
  use(ciphers.slice(0, 2));
  parkSilentCiphers();
  assertEquals([made(), freed()], [5, 3]);
  use(ciphers);
  assertEquals([made(), freed()], [8, 3]);
  ciphers[0].close();
  parkAll();
  assertEquals([made(), freed()], [8, 8]);
  for (const each of ciphers) each.close();
  assertEquals([made(), freed()], [8, 8]);
});

Deno.test("somebody looks while there are ciphers to be parked, and only then", () => {
  parkAll();
  const { setInterval, clearInterval } = globalThis;
  const timers = new Map<unknown, { work: () => void; interval: number }>();
  globalThis.setInterval = ((work: () => void, interval: number) => {
    // A real one, so that it can be unreferenced.
    const timer = setInterval(() => {}, interval);
    timers.set(timer, { work, interval });
    return timer;
  }) as typeof setInterval;
  globalThis.clearInterval = (timer) => {
    timers.delete(timer);
    clearInterval(timer);
  };
  try {
    const [{ aes256Ctr }] = workingProviders();
    const some = [aes256Ctr(counting, new Uint8Array(16)), aes256Ctr(counting, new Uint8Array(16))];
    assertEquals(timers.size, 0);
    for (const cipher of some) cipher.update(new Uint8Array(1));
    const [{ work, interval }] = timers.values();
    assertEquals([timers.size, interval], [1, 1_000]);
    some[0].close();
    assertEquals(timers.size, 1);
    work();
    work();
    assertEquals(timers.size, 0);
    some[1].update(new Uint8Array(1));
    assertEquals(timers.size, 1);
    some[1].close();
    assertEquals(timers.size, 0);
  } finally {
    Object.assign(globalThis, { setInterval, clearInterval });
  }
});

/** Parks every cipher there is. */
function parkAll(): void {
  parkSilentCiphers();
  parkSilentCiphers();
}

/** OpenSSL with an eye on what is made and freed; null where there is none. */
function countingEvp(): { made(): number; freed(): number; cipher(): Cipher } | null {
  const library = openEvp();
  if (library === null) return null;
  let made = 0, freed = 0;
  const evp: Evp = {
    ...library.evp,
    "EVP_CIPHER_CTX_new": () => (made++, library.evp.EVP_CIPHER_CTX_new()),
    "EVP_CIPHER_CTX_free": (context) => (freed++, library.evp.EVP_CIPHER_CTX_free(context)),
  };
  const algorithm = evp.EVP_aes_256_ctr() as Pointer;
  return {
    made: () => made,
    freed: () => freed,
    cipher: () => new LibcryptoCtr(evp, algorithm, counting, new Uint8Array(16)),
  };
}

/** Lets a turn of the event loop pass, so that a key can arrive; the result is what was given. */
async function settledTurn<T>(value: T | Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return await value;
}

/**
 * Feeds a cipher, turn by turn and for five seconds at most, until it answers with a promise.
 *
 * @returns bytes fed
 */
async function goingFar(cipher: WebCtr): Promise<number> {
  const end = performance.now() + 5000;
  for (let fed = LARGE;; fed += LARGE) {
    const result = cipher.updateSoon(new Uint8Array(LARGE));
    if (result instanceof Promise) return await result, fed;
    assert(performance.now() < end, "Web Crypto was not used within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** As assertEquals, which takes seconds for so many bytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
