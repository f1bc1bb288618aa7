import { assertEquals } from "@std/assert";
import type { Cipher } from "../../lib/crypto/types.ts";
import { cryptoProvider } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { concat } from "../../lib/stream/bytes.ts";
import { cipherStream } from "../../lib/stream/cipher_stream.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { readAll } from "../contract/streams.ts";

const provider = cryptoProvider();

/** The same cipher, answering with promises as Web Crypto does. */
function slow(cipher: Cipher): Cipher {
  return {
    asynchronous: true,
    update: async (bytes) => {
      const copy = bytes.slice();
      await Promise.resolve();
      return await cipher.update(copy);
    },
    close: () => cipher.close(),
  };
}

for (const [name, wrap] of [["at once", (c: Cipher) => c], ["with promises", slow]] as const) {
  Deno.test(`ciphers that answer ${name}: both directions, with bytes that came early`, async () => {
    const keys = [0, 1].map(() => ({ key: randomBytes(32), iv: randomBytes(16) }));
    const cipher = (i: number) => provider.aes256Ctr(keys[i].key, keys[i].iv);
    const [a, b] = memoryPair(1 << 20);
    const up = cipher(0);
    const early = up.update(new Uint8Array(10).fill(1)).slice();
    const far = cipherStream(b, { reading: wrap(cipher(0)), writing: wrap(cipher(1)), first: early });
    await a.write(up.update(new Uint8Array(1000).fill(2)).slice());
    await a.closeWrite();
    assertEquals(await readAll(far), concat(new Uint8Array(10).fill(1), new Uint8Array(1000).fill(2)));
    await far.write(new Uint8Array(3).fill(3), new Uint8Array(4).fill(4));
    await far.closeWrite();
    const got = cipher(1).update(await readAll(a));
    assertEquals(got, Uint8Array.of(3, 3, 3, 4, 4, 4, 4));
    far.close();
    up.close();
  });
}

Deno.test("room in front of what is taken", async () => {
  for (const wrap of [(c: Cipher) => c, slow]) {
    const [a, b] = memoryPair();
    const key = randomBytes(32), iv = randomBytes(16);
    const up = provider.aes256Ctr(key, iv);
    const stream = cipherStream(b, {
      reading: wrap(provider.aes256Ctr(key, iv)),
      writing: null,
      first: up.update(Uint8Array.of(1)).slice(),
    });
    await a.write(up.update(Uint8Array.of(2)).slice());
    for (const expected of [1, 2]) {
      assertEquals(await stream.readyBefore(performance.now() + 1000), true);
      const bytes = stream.take(5);
      new Uint8Array(bytes.buffer, bytes.byteOffset - 5, 5).fill(0xff);
      assertEquals([...bytes], [expected]);
    }
    stream.close();
  }
});

Deno.test("a direction without a cipher is left alone", async () => {
  const [a, b] = memoryPair();
  const stream = cipherStream(b, { reading: null, writing: null });
  await a.write(Uint8Array.of(1, 2));
  assertEquals(await stream.ready(), true);
  assertEquals([...stream.take()], [1, 2]);
  await stream.write(Uint8Array.of(3), Uint8Array.of(4));
  await stream.closeWrite();
  assertEquals([...await readAll(a)], [3, 4]);
});
