// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../lib/errors.ts";
import { Chunks } from "../../../lib/proxy/http/chunks.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { eachSplit } from "../../support.ts";
import { ascii } from "../fakes.ts";

/** How many bytes are the body's, when they come in these pieces. */
function usedOf(pieces: Uint8Array[]): { used: number; ended: boolean } {
  const chunks = new Chunks();
  let used = 0;
  for (const piece of pieces) used += chunks.feed(piece);
  return { used, ended: chunks.ended };
}

Deno.test("the end of a body is found, cut anywhere", () => {
  for (
    const body of [
      "0\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "A;name=value\r\n0123456789\r\n1 ;x\r\n\n\r\n000\r\nTrailer: x\r\nOther: 0\r\n\r\n",
    ]
  ) {
    eachSplit(ascii(`${body}GET / HTTP/1.1`), (pieces) => {
      assertEquals(usedOf(pieces), { used: body.length, ended: true });
    });
    for (let cut = 0; cut < body.length; cut++) {
      assertEquals(usedOf([ascii(body.slice(0, cut))]), { used: cut, ended: false });
    }
  }
});

Deno.test("whatever the sizes are, no byte of the next request is the body's", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 5 }), fc.nat(), (sizes, cut) => {
      const parts = sizes.map((size) =>
        concat(ascii(`${size.toString(16)}\r\n`), new Uint8Array(size).fill(48), ascii("\r\n"))
      );
      const body = concat(...parts, ascii("0\r\n\r\n"));
      const wire = concat(body, ascii("0\r\n\r\n"));
      const at = cut % wire.length;
      assertEquals(usedOf([wire.slice(0, at), wire.slice(at)]), { used: body.length, ended: true });
    }),
  );
});

Deno.test("what are no chunks is refused", () => {
  for (
    const body of [
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "1\n",
      "5\r\nhello!\r\n",
      "5\r\nhello\n",
      "1\r\naX\r\n",
      "0x1\r\na\r\n",
      "1000000000000000\r\n",
      "0\r\nTrailer: x\n\r\n",
      `1;${"a".repeat(5000)}\r\n`,
    ]
  ) assertThrows(() => usedOf([ascii(body)]), MtrayError, "cannot read the chunks");
});
