// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { HandshakeReader } from "../../lib/stream/handshake_reader.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { codeOfRejection, readAll } from "../contract/streams.ts";
import { eachSplit } from "../support.ts";

/** A byte that says how long it is, and so many. */
function parse(bytes: Uint8Array): { text: string; used: number } | null {
  if (bytes.length < 1 || bytes.length < 1 + bytes[0]) return null;
  return { text: String.fromCharCode(...bytes.subarray(1, 1 + bytes[0])), used: 1 + bytes[0] };
}

function setUp(most = 100, within = 60_000) {
  const [client, stream] = memoryPair();
  return {
    client,
    stream,
    reader: new HandshakeReader(stream, { deadline: performance.now() + within, most }),
  };
}

Deno.test("messages are read one by one, cut anywhere, and the rest is there for whoever goes on", async () => {
  const splits: Uint8Array[][] = [];
  eachSplit(new TextEncoder().encode("\x03abc\x00\x02derest"), (pieces) => splits.push(pieces));
  for (const pieces of splits) {
    const { client, reader } = setUp();
    for (const piece of pieces) await client.write(piece);
    for (const text of ["abc", "", "de"]) assertEquals((await reader.read(parse)).text, text);
    await client.closeWrite();
    assertEquals(new TextDecoder().decode(await readAll(reader.remaining())), "rest");
  }
});

Deno.test("where nothing is left the stream itself goes on", async () => {
  const { client, stream, reader } = setUp();
  await client.write(Uint8Array.of(0));
  await reader.read(parse);
  assertEquals(reader.remaining() === stream, true);
});

Deno.test("time, bytes and an early end are errors of their own", async () => {
  const late = setUp(100, 5);
  await late.client.write(Uint8Array.of(3, 65));
  assertEquals(await codeOfRejection(late.reader.read(parse)), "timed-out");
  const long = setUp(10);
  await long.client.write(new Uint8Array(11).fill(200));
  assertEquals(await codeOfRejection(long.reader.read(parse)), "protocol");
  const early = setUp();
  await early.client.write(Uint8Array.of(3, 65));
  await early.client.closeWrite();
  assertEquals(await codeOfRejection(early.reader.read(parse)), "closed");
});
