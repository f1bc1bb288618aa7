import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  framedLength,
  frameRecords,
  MOST_OUT,
  RecordReader,
  RecordStream,
} from "../../../lib/proxy/mtproto/records.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { memoryPair } from "../../../lib/stream/pair.ts";
import { eachSplit, hex } from "../../support.ts";

const CHANGE = hex("140303000101");

function record(length: number, fill = 7): Uint8Array {
  return concat(Uint8Array.of(0x17, 3, 3, length >> 8, length & 255), new Uint8Array(length).fill(fill));
}

function readPieces(pieces: Uint8Array[]): Uint8Array {
  const reader = new RecordReader();
  // Copied: the reader works in place, and the next piece may be the same memory.
  return concat(...pieces.map((piece) => reader.update(piece).slice()));
}

Deno.test("records are read whole, cut anywhere and byte by byte", () => {
  const wire = concat(CHANGE, record(3, 1), record(0), record(40, 2), record(1, 3));
  const expected = concat(new Uint8Array(3).fill(1), new Uint8Array(40).fill(2), Uint8Array.of(3));
  eachSplit(wire, (pieces) => assertEquals(readPieces(pieces), expected));
});

Deno.test("what comes in may be as large as the RFC allows", () => {
  for (const length of [16_384, 16_401, 16_408, 16_640]) {
    assertEquals(readPieces([record(length)]).length, length);
  }
  assertThrows(() => readPieces([record(16_641)]), Error, "with 16641 bytes");
});

Deno.test("what is no record of a client is refused", () => {
  const refused = [
    concat(CHANGE, CHANGE),
    concat(record(3), CHANGE),
    hex("140303000102"),
    hex("1403030002"),
    hex("1503030002"),
    hex("1603030002"),
    hex("1703010002"),
    hex("474554202f"),
  ];
  for (const wire of refused) {
    eachSplit(wire, (pieces) => {
      assertThrows(() => readPieces(pieces), Error, "cannot read a TLS record");
    });
  }
});

Deno.test("what is framed is read again", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40_000), { maxLength: 6 }), fc.nat(70_000), (lengths, cut) => {
      const payload = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const wire = concat(
        ...payload.map((bytes) => frameRecords(bytes, new Uint8Array(framedLength(bytes.length)))),
      );
      assertEquals(readPieces([wire.slice(0, cut), wire.slice(cut)]), concat(...payload));
    }),
    { numRuns: 50 },
  );
});

Deno.test("full records carry 16,401 bytes, and only records of data go out", () => {
  const wire = frameRecords(new Uint8Array(2 * MOST_OUT + 1), new Uint8Array(framedLength(2 * MOST_OUT + 1)));
  assertEquals(wire.length, 2 * MOST_OUT + 1 + 15);
  const lengths: number[] = [];
  for (let at = 0; at < wire.length; at += 5 + lengths.at(-1)!) {
    assertEquals([...wire.subarray(at, at + 3)], [0x17, 3, 3]);
    lengths.push(wire[at + 3] << 8 | wire[at + 4]);
  }
  assertEquals(lengths, [16_401, 16_401, 1]);
});

Deno.test("a stream in records: what was read too far comes first", async () => {
  const [client, server] = memoryPair(1 << 20);
  const first = concat(CHANGE, record(10, 1));
  const stream = new RecordStream(server, first);
  assertEquals(await stream.ready(), true);
  assertEquals(stream.take().slice(), new Uint8Array(10).fill(1));
  await client.write(record(20, 2));
  assertEquals(await stream.readyBefore(performance.now() + 1000), true);
  assertEquals(stream.take(5).slice(), new Uint8Array(20).fill(2));
  client.closeWrite();
  assertEquals(await stream.ready(), false);
});

Deno.test("a stream in records: every size is written whole", async () => {
  for (const sizes of [[1], [0], [4000], [100_000], [400_000], [3, 200_000], [16_401, 1]]) {
    const [client, server] = memoryPair(1 << 20);
    const stream = new RecordStream(server, new Uint8Array());
    const pieces = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    await stream.write(pieces[0], pieces[1]);
    await stream.closeWrite();
    const reader = new RecordReader();
    const got: Uint8Array[] = [];
    while (await client.ready()) got.push(reader.update(client.take().slice()).slice());
    assertEquals(concat(...got), concat(...pieces));
  }
});
