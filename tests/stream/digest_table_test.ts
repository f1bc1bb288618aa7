import { assertEquals } from "@std/assert";
import { DigestTable, GENERATION } from "../../lib/stream/digest_table.ts";

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
