// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { encode } from "uqr";
import { qrLines } from "../../lib/cli/qr.ts";

const LINK = "tg://proxy?server=192.168.100.100&port=8443&secret=ee000102030405060708090a0b0c0d0e0f" +
  "7777772e6578616d706c652e636f6d";

/** Upper and lower half of a character: whether it is lit. */
const HALVES: Record<string, [boolean, boolean]> = {
  "█": [true, true],
  "▀": [true, false],
  "▄": [false, true],
  " ": [false, false],
};

Deno.test("the drawn code is the encoder's matrix with a light border, light modules lit", () => {
  const rows = qrLines(LINK, false).flatMap((line) => {
    const cells = [...line].map((character) => HALVES[character]);
    return [cells.map(([upper]) => upper), cells.map(([, lower]) => lower)];
  });
  const { data, size } = encode(LINK, { border: 2 });
  assertEquals(rows.slice(0, size), data.map((row) => row.map((dark) => !dark)));
  const edge = rows[0];
  assert(edge.length === size && edge.every(Boolean), "the border is not light");
});

Deno.test("the code of an ordinary link fits a terminal of 80 by 24", () => {
  const lines = qrLines(LINK, false);
  assert(lines.length <= 24, `${lines.length} lines`);
  assert(lines.every((line) => line.length <= 80 && line.length === lines[0].length));
});

Deno.test("with colours every line sets both and resets, around the same characters", () => {
  const plain = qrLines(LINK, false);
  assertEquals(qrLines(LINK, true), plain.map((line) => `\x1b[97;40m${line}\x1b[0m`));
});

Deno.test("another text gives another code", () => {
  assert(qrLines(LINK, false).join() !== qrLines(LINK.replace("8443", "8444"), false).join());
});
