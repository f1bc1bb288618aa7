import { assertEquals } from "@std/assert";
import { DIGEST_WORDS, DigestTable, GENERATION } from "../../lib/stream/digest_table.ts";

/** Digests as they come: evenly spread, and told apart by their number. */
function digest(i: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.imul(i, 2654435761) >>> 0);
  view.setUint32(4, i);
  view.setUint32(12, i * 2);
  return bytes;
}

Deno.test("a digest is new once", () => {
  const table = new DigestTable();
  for (const i of [0, 1, 2, 3]) assertEquals(table.add(digest(i)), true);
  for (const i of [3, 2, 1, 0]) assertEquals(table.add(digest(i)), false);
});

Deno.test("digests whose slots collide are told apart", () => {
  const table = new DigestTable();
  const colliding = (i: number) =>
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, i >> 8, i, 0, 0, 0, 0, 0, 0, 0, 0);
  for (let i = 0; i < 1000; i++) assertEquals(table.add(colliding(i)), true);
  for (let i = 0; i < 1000; i++) assertEquals(table.add(colliding(i)), false);
});

Deno.test("a generation is remembered in full, by number and not by time", () => {
  const table = new DigestTable();
  for (let i = 0; i < GENERATION; i++) table.add(digest(i));
  // The newest generation is still whole when the next has all but one.
  for (let i = GENERATION; i < 2 * GENERATION - 1; i++) table.add(digest(i));
  assertEquals(table.add(digest(0)), false);
  assertEquals(table.add(digest(GENERATION - 1)), false);
  assertEquals(table.add(digest(2 * GENERATION - 2)), false);
  // One more, and the oldest generation goes.
  assertEquals(table.add(digest(2 * GENERATION - 1)), true);
  assertEquals(table.add(digest(0)), true);
  assertEquals(table.add(digest(GENERATION)), false);
});

Deno.test("only the first 16 bytes count, wherever they lie", () => {
  const table = new DigestTable();
  const inside = new Uint8Array(40).fill(9);
  inside.set(digest(77), 3);
  assertEquals(table.add(inside.subarray(3)), true);
  assertEquals(table.add(digest(77)), false);
});

Deno.test("tables in the same memory are one", () => {
  const memory = new Int32Array(DIGEST_WORDS);
  const tables = [new DigestTable(memory), new DigestTable(memory)];
  for (let i = 0; i < 2 * GENERATION + 100; i++) {
    assertEquals(tables[i % 2].add(digest(i)), true);
    assertEquals(tables[(i + 1) % 2].add(digest(i)), false);
  }
  for (const table of tables) {
    assertEquals([table.has(digest(2 * GENERATION)), table.has(digest(0))], [true, false]);
  }
});

Deno.test("a digest with one bit changed is another one, wherever the bit is", () => {
  const table = new DigestTable();
  const bytes = digest(77);
  assertEquals(table.add(bytes), true);
  for (let bit = 0; bit < 128; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(table.has(bytes), false, `bit ${bit}`);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

Deno.test("the numbers of generations come round", () => {
  const memory = new Int32Array(DIGEST_WORDS);
  const table = new DigestTable(memory);
  for (let generation = 0; generation < 600; generation++) {
    const mine = [0, 1, 2].map((i) => digest(generation * 3 + i));
    for (const each of mine) assertEquals(table.add(each), true, `generation ${generation}`);
    for (const each of mine) assertEquals(table.add(each), false);
    skipGenerations(memory, 1);
    for (const each of mine) assertEquals(table.has(each), true);
  }
});

Deno.test("an add may be interrupted by another anywhere, also until generations later", () => {
  let interrupted = 0;
  for (const generations of [0, 1, 2, 3, 15]) {
    for (let after = 0;; after++) {
      const memory = new Int32Array(DIGEST_WORDS);
      const [slow, quick] = [new DigestTable(memory), new DigestTable(memory)];
      // All look for their slots in the same place, and slots there were used before.
      const old = [1, 2, 3].map(neighbour);
      for (const each of old) quick.add(each);
      skipGenerations(memory, 2);
      let quickly: boolean | undefined;
      const slowly = interruptedAfter(after, () => {
        skipGenerations(memory, generations);
        for (const each of [4, 5]) quick.add(neighbour(each));
        quickly = quick.add(neighbour(0));
        for (const each of [6, 7]) quick.add(neighbour(each));
      }, () => slow.add(neighbour(0)));
      if (quickly === undefined) break;
      interrupted++;
      const what = `${generations} generations later, after ${after} steps`;
      assertEquals([slowly, quickly].filter((isNew) => isNew).length, 1, what);
      for (const each of [0, 4, 5, 6, 7]) assertEquals(quick.add(neighbour(each)), false, what);
    }
  }
  assertEquals(interrupted > 40, true);
});

function neighbour(i: number): Uint8Array {
  const bytes = new Uint8Array(16).fill(i);
  bytes.fill(7, 0, 4);
  return bytes;
}

/** The first word says how many digests were added so far. */
function skipGenerations(memory: Int32Array, generations: number): void {
  memory[0] += generations * GENERATION;
}

/** Does something else after so many steps that other threads could see, but for the last: by then it is decided. */
function interruptedAfter(steps: number, interruption: () => void, body: () => boolean): boolean {
  const names = ["load", "compareExchange"] as const;
  const own = Object.fromEntries(names.map((name) => [name, Atomics[name]]));
  const restore = () => Object.assign(Atomics, own);
  let left = steps;
  for (const name of names) {
    const stepping = (...given: unknown[]) => {
      if (left-- === 0) {
        restore();
        interruption();
      }
      return Reflect.apply(own[name], Atomics, given);
    };
    Object.assign(Atomics, { [name]: stepping });
  }
  try {
    return body();
  } finally {
    restore();
  }
}
