import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { cryptoProvider, workingProviders } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import type { Cipher } from "../../lib/crypto/types.ts";
import { MtrayError } from "../../lib/errors.ts";
import { concat } from "../../lib/stream/bytes.ts";
import { cipherStream } from "../../lib/stream/cipher_stream.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import { readAll } from "../contract/streams.ts";
import { slow } from "./slow_cipher.ts";

const provider = cryptoProvider();
/** Its results have memory of their own, and it answers at once. */
const apart = workingProviders().find(({ name }) => name.startsWith("node:crypto"))!;
const LARGE = 100_000;

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
    const down = cipher(1);
    assertEquals(down.update(await readAll(a)), Uint8Array.of(3, 3, 3, 4, 4, 4, 4));
    for (const each of [far, up, down]) each.close();
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
      const bytes = await nextBytes(stream, 5);
      new Uint8Array(bytes.buffer, bytes.byteOffset - 5, 5).fill(0xff);
      assertEquals([...bytes], [expected]);
    }
    stream.close();
    up.close();
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

Deno.test("pieces of all sizes, through every provider", async () => {
  for (const { name, aes256Ctr } of workingProviders()) {
    const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 15_000, max: 65_536 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(40), async (lengths, ahead) => {
        const [a, b] = memoryPair();
        const key = randomBytes(32), iv = randomBytes(16);
        const [near, far] = [aes256Ctr(key, iv), aes256Ctr(key, iv)];
        near.update(new Uint8Array(ahead));
        far.update(new Uint8Array(ahead));
        const writing = cipherStream(a, { reading: null, writing: near });
        const reading = cipherStream(b, { reading: far, writing: null });
        const text = lengths.map((length) => randomBytes(length));
        const sent = (async () => {
          for (const piece of text) {
            // Not with a view of the whole buffer, so that what lies around it counts if it is touched.
            const around = concat(new Uint8Array(3), piece, new Uint8Array(3));
            await writing.write(around.subarray(3, 3 + piece.length));
          }
          await writing.closeWrite();
        })();
        assertEquals(await readAll(reading), concat(...text), name);
        await sent;
        writing.close();
        reading.close();
      }),
      { numRuns: name === "JavaScript" ? 3 : 10 },
    );
  }
});

Deno.test("a small piece costs no promise where the stream below takes it at once", () => {
  for (const { aes256Ctr } of workingProviders()) {
    const writing = aes256Ctr(new Uint8Array(32), new Uint8Array(16));
    const stream = cipherStream(swallowing(), { reading: null, writing });
    assertEquals(stream.write(new Uint8Array(200)), undefined);
    stream.close();
  }
});

Deno.test("what ciphers made is freed as soon as nobody may look at it", async () => {
  for (const wrap of [(c: Cipher) => c, slow]) {
    const [a, b] = memoryPair(1 << 20);
    const cipher = () => wrap(apart.aes256Ctr(new Uint8Array(32), new Uint8Array(16)));
    let written: Uint8Array | undefined;
    const below = { ...swallowing(), write: (bytes: Uint8Array) => (written = bytes, undefined) };
    const out = cipherStream(below, { reading: null, writing: cipher() });
    await out.write(new Uint8Array(LARGE));
    assertEquals(written?.byteLength, 0);

    const stream = cipherStream(b, { reading: cipher(), writing: null });
    await a.write(new Uint8Array(LARGE));
    const taken = await nextBytes(stream);
    assertEquals(taken.length, LARGE);
    const next = stream.ready();
    assertEquals(taken.length, 0);
    await a.closeWrite();
    assertEquals(await next, false);
    stream.close();
    out.close();
  }
});

Deno.test("what ciphers made is kept as long as it is being sent", async () => {
  for (const wrap of [(c: Cipher) => c, slow]) {
    const sent = Promise.withResolvers<void>(), begun = Promise.withResolvers<Uint8Array>();
    const below = { ...swallowing(), write: (bytes: Uint8Array) => (begun.resolve(bytes), sent.promise) };
    const writing = wrap(apart.aes256Ctr(new Uint8Array(32), new Uint8Array(16)));
    const stream = cipherStream(below, { reading: null, writing });
    const settled = stream.write(new Uint8Array(LARGE));
    const bytes = await begun.promise;
    assertEquals(bytes.length, LARGE);
    sent.resolve();
    await settled;
    assertEquals(bytes.length, 0);
    stream.close();
  }
});

Deno.test("what was lent to a stream keeps its memory", async () => {
  const lent = new Uint8Array(LARGE);
  for (const { aes256Ctr } of workingProviders()) {
    const writing = aes256Ctr(new Uint8Array(32), new Uint8Array(16));
    const stream = cipherStream(swallowing(), { reading: null, writing });
    await stream.write(lent);
    assertEquals(lent.length, LARGE);
    stream.close();
  }
});

Deno.test("a stream that is closed while a cipher is at work: its wait fails, and nothing else does", async () => {
  const [a, b] = memoryPair(1 << 20);
  const cipher = () => slow(provider.aes256Ctr(new Uint8Array(32), new Uint8Array(16)));
  const stream = cipherStream(b, { reading: cipher(), writing: cipher() });
  await a.write(new Uint8Array(LARGE));
  assertEquals(await stream.ready(), true);
  assertEquals(stream.take().length, 0);
  const waiting = stream.ready();
  const sending = stream.write(new Uint8Array(LARGE));
  stream.close();
  for (const each of [waiting, sending!]) {
    assertEquals((await assertRejects(async () => await each, MtrayError) as MtrayError).code, "closed");
  }
  assertEquals((await readAll(a)).length, 0);
});

Deno.test("a result that nobody comes back for is no unhandled failure", async () => {
  const [a, b] = memoryPair(1 << 20);
  const reading = slow(provider.aes256Ctr(new Uint8Array(32), new Uint8Array(16)));
  const stream = cipherStream(b, { reading, writing: null });
  await a.write(new Uint8Array(LARGE));
  assert(await stream.ready());
  stream.take();
  stream.close();
  // An unhandled rejection would end the process in one of these turns.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
});

/** What comes next; an empty piece says that it takes another wait. */
async function nextBytes(stream: ByteStream, room = 0): Promise<Uint8Array> {
  for (;;) {
    assertEquals(await stream.readyBefore(performance.now() + 5000), true);
    const bytes = stream.take(room);
    if (bytes.length > 0) return bytes;
  }
}

/** A stream that takes everything at once. */
function swallowing(): ByteStream {
  return {
    halfCloses: true,
    ready: () => Promise.resolve(false),
    readyBefore: () => Promise.resolve(false),
    take: () => new Uint8Array(),
    write: () => {},
    closeWrite: () => {},
    close: () => {},
  };
}
