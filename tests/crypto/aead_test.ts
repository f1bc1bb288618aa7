// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { workingProviders } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { passesSelfTest } from "../../lib/crypto/self_test.ts";
import { AEAD_KEY, type AeadAlgorithm, type CryptoProvider, TAG } from "../../lib/crypto/types.ts";
import { toHex } from "../../lib/stream/bytes.ts";
import { hex } from "../support.ts";

const ALGORITHMS: AeadAlgorithm[] = ["aes-128-gcm", "chacha20-poly1305"];
const providers = workingProviders();

function eachCipher(body: (provider: CryptoProvider, algorithm: AeadAlgorithm, name: string) => void): void {
  for (const provider of providers) {
    for (const algorithm of ALGORITHMS) body(provider, algorithm, `${provider.name}, ${algorithm}`);
  }
}

/** Seals with a cipher of its own. */
function seal(
  provider: CryptoProvider,
  algorithm: AeadAlgorithm,
  { key, nonce, text, additional }: {
    key: Uint8Array;
    nonce: Uint8Array;
    text: Uint8Array;
    additional?: Uint8Array;
  },
): Uint8Array {
  const sealer = provider.sealer(algorithm, key);
  const into = new Uint8Array(text.length + TAG);
  sealer.seal(nonce, text, into, additional);
  sealer.close();
  return into;
}

Deno.test("ChaCha20-Poly1305 of RFC 8439, 2.8.2", () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
  const text = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const expected = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca96712" +
    "82fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad67594" +
    "5585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
  for (const provider of providers) {
    const sealed = seal(provider, "chacha20-poly1305", {
      key,
      nonce: hex("070000004041424344454647"),
      text,
      additional: hex("50515253c0c1c2c3c4c5c6c7"),
    });
    assertEquals(toHex(sealed), expected, provider.name);
  }
});

Deno.test("AES-128-GCM of McGrew and Viega, test cases 2 and 4", () => {
  const cases = [
    {
      key: new Uint8Array(16),
      nonce: new Uint8Array(12),
      text: new Uint8Array(16),
      expected: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
    },
    {
      key: hex("feffe9928665731c6d6a8f9467308308"),
      nonce: hex("cafebabefacedbaddecaf888"),
      text: hex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      ),
      additional: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      expected: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    },
  ];
  for (const provider of providers) {
    for (const { expected, ...input } of cases) {
      assertEquals(toHex(seal(provider, "aes-128-gcm", input)), expected, provider.name);
    }
  }
});

Deno.test("every provider seals alike, and opens what the others sealed, in place and not", () => {
  const lengths = fc.oneof(fc.constantFrom(0, 1, 15, 16, 17, 2030, 16_384, 65_519, 70_000), fc.nat(300));
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  for (const algorithm of ALGORITHMS) {
    const key = randomBytes(AEAD_KEY[algorithm]);
    const ciphers = providers.map((provider) => ({
      sealer: provider.sealer(algorithm, key),
      opener: provider.opener(algorithm, key),
    }));
    fc.assert(
      fc.property(bytes(12), lengths, fc.option(fc.uint8Array({ maxLength: 40 })), (nonce, length, extra) => {
        const additional = extra ?? undefined;
        const text = new Uint8Array(length);
        for (let i = 0; i < length; i++) text[i] = i * 31 + length;
        const sealed = ciphers.map(({ sealer }) => {
          const apart = new Uint8Array(length + TAG).fill(9);
          sealer.seal(nonce, text, apart, additional);
          const inPlace = new Uint8Array(length + TAG).fill(9);
          inPlace.set(text);
          sealer.seal(nonce, inPlace.subarray(0, length), inPlace, additional);
          assertEquals(inPlace, apart);
          return apart;
        });
        for (const other of sealed) assertEquals(other, sealed[0]);
        for (const { opener } of ciphers) {
          const apart = new Uint8Array(length);
          assert(opener.open(nonce, sealed[0], apart, additional));
          assertEquals(apart, text);
          const inPlace = sealed[0].slice();
          assert(opener.open(nonce, inPlace, inPlace.subarray(0, length), additional));
          assertEquals(inPlace.subarray(0, length), text);
        }
      }),
      { numRuns: 25 },
    );
    for (const { sealer, opener } of ciphers) {
      sealer.close();
      opener.close();
    }
  }
});

Deno.test("a bit that was changed anywhere is noticed, and the opener goes on working", () => {
  eachCipher((provider, algorithm, name) => {
    const key = randomBytes(AEAD_KEY[algorithm]), nonce = randomBytes(12);
    const text = randomBytes(20), additional = randomBytes(7);
    const sealed = seal(provider, algorithm, { key, nonce, text, additional });
    const opener = provider.opener(algorithm, key);
    const opens = (
      change: (parts: { nonce: Uint8Array; sealed: Uint8Array; extra?: Uint8Array }) => void,
    ) => {
      const parts = { nonce: nonce.slice(), sealed: sealed.slice(), extra: additional.slice() };
      change(parts);
      return opener.open(parts.nonce, parts.sealed, new Uint8Array(20), parts.extra);
    };
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      assertEquals(opens(({ sealed }) => sealed[bit >> 3] ^= 1 << (bit & 7)), false, `${name}: bit ${bit}`);
    }
    for (let i = 0; i < 12; i++) assertEquals(opens(({ nonce }) => nonce[i] ^= 1), false, name);
    for (let i = 0; i < 7; i++) assertEquals(opens(({ extra }) => extra![i] ^= 1), false, name);
    assertEquals(opens((parts) => delete parts.extra), false, name);
    assertEquals(opens(() => {}), true, name);
    opener.close();
  });
});

Deno.test("what lies around the bytes is left alone", () => {
  eachCipher((provider, algorithm, name) => {
    const key = new Uint8Array(AEAD_KEY[algorithm]), nonce = new Uint8Array(12);
    const sealer = provider.sealer(algorithm, key), opener = provider.opener(algorithm, key);
    const whole = new Uint8Array(100).fill(7);
    sealer.seal(nonce, whole.subarray(20, 60), whole.subarray(20, 76));
    assert(opener.open(nonce, whole.subarray(20, 76), whole.subarray(20, 60)), name);
    assertEquals([...whole.subarray(0, 60), ...whole.subarray(76)], Array(84).fill(7), name);
    sealer.close();
    opener.close();
  });
});

Deno.test("parts of buffers, at any places, are sealed and opened as whole ones are, and nothing around them changes", () => {
  const place = fc.nat(70);
  for (const algorithm of ALGORITHMS) {
    for (const provider of providers) {
      const name = `${provider.name}, ${algorithm}`;
      const key = randomBytes(AEAD_KEY[algorithm]);
      const sealer = provider.sealer(algorithm, key), opener = provider.opener(algorithm, key);
      fc.assert(
        fc.property(
          fc.constantFrom(0, 1, 16, 300, 2030),
          place,
          place,
          fc.boolean(),
          (length, at, to, inPlace) => {
            const nonce = randomBytes(12),
              text = randomBytes(length),
              around = randomBytes(at + length + TAG + 9);
            const expected = seal(provider, algorithm, { key, nonce, text });
            const one = around.slice();
            one.set(text, at);
            const other = inPlace ? one : randomBytes(to + length + TAG + 3), before = other.slice();
            const into = { bytes: other, at: inPlace ? at : to };
            sealer.sealPart(nonce, { bytes: one, at, length }, into);
            before.set(expected, into.at);
            assertEquals(other, before, name);

            const sealed = { ...into, length: length + TAG };
            const target = inPlace ? into : { bytes: one.fill(5), at };
            const after = target.bytes.slice();
            assertEquals(opener.openPart(nonce, sealed, target), true, name);
            after.set(text, target.at);
            assertEquals(target.bytes, after, name);
            if (inPlace) sealer.sealPart(nonce, { ...into, length }, into);
            other[into.at + length + TAG - 1] ^= 0x80;
            assertEquals(opener.openPart(nonce, sealed, target), false, name);
          },
        ),
        { numRuns: 30 },
      );
      sealer.close();
      opener.close();
    }
  }
});

Deno.test("a part that does not lie inside its buffer is refused before anything is read or written", () => {
  eachCipher((provider, algorithm, name) => {
    const key = new Uint8Array(AEAD_KEY[algorithm]), nonce = new Uint8Array(12);
    const sealer = provider.sealer(algorithm, key), opener = provider.opener(algorithm, key);
    const bytes = new Uint8Array(100), other = new Uint8Array(100), into = { bytes: other, at: 0 };
    const wrong = [[-1, 20], [81, 20], [0, 101], [0, -1], [0.5, 20], [0, 20.5], [NaN, 20], [0, NaN], [
      2 ** 32,
      20,
    ]];
    for (const [at, length] of wrong) {
      assertThrows(() => sealer.sealPart(nonce, { bytes, at, length }, into), RangeError);
      assertThrows(() => opener.openPart(nonce, { bytes, at, length }, into), RangeError);
    }
    for (const at of [65, 100, -1, 1.5, NaN, Infinity]) {
      assertThrows(
        () => sealer.sealPart(nonce, { bytes, at: 0, length: 20 }, { bytes: other, at }),
        RangeError,
      );
    }
    for (const at of [97, 100, -1, 1.5, NaN, Infinity]) {
      assertThrows(
        () => opener.openPart(nonce, { bytes, at: 0, length: 20 }, { bytes: other, at }),
        RangeError,
      );
    }
    assertThrows(() => opener.openPart(nonce, { bytes, at: 0, length: 15 }, into), RangeError);
    assertThrows(() => opener.openPart(new Uint8Array(11), { bytes, at: 0, length: 20 }, into), RangeError);
    assertThrows(() => sealer.sealPart(new Uint8Array(13), { bytes, at: 0, length: 20 }, into), RangeError);
    assertEquals([...bytes, ...other], Array(200).fill(0), name);
    sealer.sealPart(nonce, { bytes, at: 16, length: 84 }, into);
    sealer.sealPart(nonce, { bytes, at: 0, length: 10 }, { bytes: other, at: 74 });
    sealer.close();
    opener.close();
    const closed = (call: () => void) =>
      (assertThrows(call, Error, "the cipher was freed") as unknown as { code: string }).code;
    assertEquals(closed(() => sealer.sealPart(nonce, { bytes, at: 0, length: 1 }, into)), "closed");
    assertEquals(closed(() => opener.openPart(nonce, { bytes, at: 0, length: 17 }, into)), "closed");
  });
});

Deno.test("a wrong length is refused before anything is read or written", () => {
  eachCipher((provider, algorithm) => {
    const length = AEAD_KEY[algorithm];
    for (const wrong of [length - 1, length + 1, 0]) {
      assertThrows(() => provider.sealer(algorithm, new Uint8Array(wrong)), RangeError);
      assertThrows(() => provider.opener(algorithm, new Uint8Array(wrong)), RangeError);
    }
    const sealer = provider.sealer(algorithm, new Uint8Array(length));
    const opener = provider.opener(algorithm, new Uint8Array(length));
    const nonce = new Uint8Array(12), text = new Uint8Array(10);
    assertThrows(() => sealer.seal(new Uint8Array(11), text, new Uint8Array(26)), RangeError);
    assertThrows(() => sealer.seal(nonce, text, new Uint8Array(25)), RangeError);
    assertThrows(() => sealer.seal(nonce, text, new Uint8Array(27)), RangeError);
    assertThrows(() => opener.open(new Uint8Array(13), new Uint8Array(26), text), RangeError);
    assertThrows(() => opener.open(nonce, new Uint8Array(15), new Uint8Array(0)), RangeError);
    assertThrows(() => opener.open(nonce, new Uint8Array(25), text), RangeError);
    sealer.close();
    opener.close();
  });
});

Deno.test("a freed sealer or opener refuses, and freeing it again is harmless", () => {
  eachCipher((provider, algorithm) => {
    const key = new Uint8Array(AEAD_KEY[algorithm]), nonce = new Uint8Array(12);
    const sealer = provider.sealer(algorithm, key), opener = provider.opener(algorithm, key);
    for (let i = 0; i < 2; i++) {
      sealer.close();
      opener.close();
    }
    const code = (call: () => void) =>
      (assertThrows(call, Error, "the cipher was freed") as unknown as { code: string }).code;
    assertEquals(code(() => sealer.seal(nonce, new Uint8Array(1), new Uint8Array(17))), "closed");
    assertEquals(code(() => void opener.open(nonce, new Uint8Array(17), new Uint8Array(1))), "closed");
  });
});

Deno.test("a key that is overwritten after it was handed over stays the key", () => {
  eachCipher((provider, algorithm, name) => {
    const key = randomBytes(AEAD_KEY[algorithm]), nonce = new Uint8Array(12), text = new Uint8Array(5);
    const expected = seal(provider, algorithm, { key, nonce, text });
    const sealer = provider.sealer(algorithm, key);
    key.fill(0);
    const sealed = new Uint8Array(21);
    sealer.seal(nonce, text, sealed);
    assertEquals(sealed, expected, name);
    sealer.close();
  });
});

Deno.test("a provider that computes wrongly is not chosen", () => {
  const [good] = providers;
  const wrong: Partial<CryptoProvider>[] = [
    {
      opener: (algorithm, key) => {
        const { open, openPart, close } = bound(good.opener(algorithm, key));
        return { open: (...args) => (open(...args), true), openPart, close };
      },
    },
    {
      sealer: (algorithm, key) => {
        const { seal, sealPart, close } = bound(good.sealer(algorithm, key));
        return { seal: (nonce, text, into) => seal(nonce, text, into), sealPart, close };
      },
    },
    {
      opener: (algorithm, key) => {
        const { open, openPart, close } = bound(good.opener(algorithm, key));
        return { open, openPart: (...args) => (openPart(...args), true), close };
      },
    },
    {
      sealer: (algorithm, key) => {
        const { seal, sealPart, close } = bound(good.sealer(algorithm, key));
        return { seal, sealPart: (nonce, text, into) => sealPart(nonce, { ...text, at: 0 }, into), close };
      },
    },
    {
      sealer: (_, key) => good.sealer("aes-128-gcm", key.subarray(0, 16)),
      opener: (_, key) => good.opener("aes-128-gcm", key.subarray(0, 16)),
    },
    {
      aes256Ctr: (key, iv) => {
        const cipher = good.aes256Ctr(key, iv);
        return {
          asynchronous: false,
          update: (bytes) => cipher.update(bytes.subarray(1)),
          close: () => cipher.close(),
        };
      },
    },
    {
      sealer: () => {
        throw new Error("not here");
      },
    },
  ];
  assert(passesSelfTest(good));
  for (const change of wrong) assertEquals(passesSelfTest({ ...good, ...change }), false);
});

/** The methods of an object as functions of their own. */
function bound<T extends object>(object: T): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value = target[name as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
