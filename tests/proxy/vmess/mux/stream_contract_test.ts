/** The promises of ByteStream, kept by both ends of a session; as tests/contract/byte_stream_test.ts proves them. */
// @ts-types="../../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type ByteStream, ROOM, timedOut } from "../../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readAll, readSome } from "../../../contract/streams.ts";
import { Both, Handler } from "./support.ts";

const soon = () => performance.now() + 20;
const later = () => performance.now() + 10_000;

for (const side of ["client", "server"] as const) {
  const contract = (promise: string, body: (pair: { a: ByteStream; b: ByteStream }) => Promise<void>) =>
    Deno.test(`a session's ${side} end: ${promise}`, async () => {
      const handler = new Handler();
      const both = new Both(handler, { client: { firstPayload: 1 } });
      const dialled = await both.connect();
      const { stream: accepted, done } = await handler.streams.next();
      try {
        await body(side === "client" ? { a: dialled, b: accepted } : { a: accepted, b: dialled });
      } finally {
        done();
        await both.end();
      }
    });
  /** The peer reads to an end then: an end of one direction where that can be told, otherwise of both. */
  const finish = async (stream: ByteStream) => {
    await stream.closeWrite();
    if (!stream.halfCloses) stream.close();
  };

  contract("bytes arrive whole and in order, in both directions at once", async ({ a, b }) => {
    const up = pattern(3_000_001), down = pattern(2_000_003, 7);
    const send = async (stream: ByteStream, bytes: Uint8Array) => {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 7 % 200_003 + 1) {
        await stream.write(bytes.slice(at, at + size));
      }
      await stream.closeWrite();
    };
    const [gotUp, gotDown] = await Promise.all([readAll(b), readAll(a), send(a, up), send(b, down)]);
    assertEquals(gotUp.length, up.length);
    assert(gotUp.every((byte, i) => byte === up[i]));
    assert(gotDown.length === down.length && gotDown.every((byte, i) => byte === down[i]));
  });

  contract("two pieces are sent as one after the other", async ({ a, b }) => {
    const send = (async () => {
      await a.write(Uint8Array.of(1, 2), pattern(100_000));
      await a.write(Uint8Array.of(3), new Uint8Array());
      await a.write(new Uint8Array());
      await a.write(pattern(9_000), pattern(5, 3));
      await finish(a);
    })();
    const got = await readAll(b);
    await send;
    assertEquals([...got.subarray(0, 2), got[100_002]], [1, 2, 3]);
    assertEquals(got.subarray(2, 100_002), pattern(100_000));
    assertEquals(got.subarray(100_003, 109_003), pattern(9_000));
    assertEquals(got.subarray(109_003), pattern(5, 3));
  });

  contract("an end passes where it can, while the other direction goes on", async ({ a, b }) => {
    assertEquals(a.halfCloses, side === "server");
    await a.write(Uint8Array.of(1));
    await a.closeWrite();
    if (a.halfCloses) assertEquals(await readAll(b), Uint8Array.of(1));
    else {
      assertEquals(await readSome(b, 1), Uint8Array.of(1));
      assertEquals(await b.readyBefore(soon()), timedOut);
    }
    const answer = pattern(1_000_000);
    const send = (async () => {
      await b.write(answer.slice());
      await b.closeWrite();
    })();
    assertEquals(await readAll(a), answer);
    await send;
    assertEquals([await a.ready(), await b.ready()], [false, false]);
  });

  contract("both ends may finish at the same time", async ({ a, b }) => {
    await Promise.all([a.closeWrite(), b.closeWrite()]);
    assertEquals(await Promise.all([a.ready(), b.ready()]), [false, false]);
  });

  contract("a deadline that passes loses nothing", async ({ a, b }) => {
    assertEquals(await b.readyBefore(soon()), timedOut);
    assertEquals(await b.readyBefore(soon()), timedOut);
    await a.write(Uint8Array.of(7));
    assertEquals(await b.readyBefore(later()), true);
    assertEquals(b.take(), Uint8Array.of(7));
    assertEquals(await b.readyBefore(soon()), timedOut);
    await a.write(Uint8Array.of(8));
    assertEquals(await b.ready(), true);
    assertEquals(b.take(), Uint8Array.of(8));
    assertEquals(await b.readyBefore(soon()), timedOut);
    await finish(a);
    assertEquals(await b.readyBefore(later()), false);
    assertEquals(await b.ready(), false);
  });

  contract("what was taken may be overwritten, and so may the room in front of it", async ({ a, b }) => {
    for (const length of [1, 100, 5_000, 300_000]) {
      const sent = pattern(length, length);
      const sending = a.write(sent.slice());
      for (let at = 0; at < length;) {
        assertEquals(await b.ready(), true);
        const bytes = b.take(ROOM);
        assertEquals(bytes, sent.subarray(at, at + bytes.length));
        at += bytes.length;
        new Uint8Array(bytes.buffer, bytes.byteOffset - ROOM, ROOM + bytes.length).fill(0xff);
      }
      await sending;
    }
  });

  contract("what was lent to write may be overwritten once it has settled", async ({ a, b }) => {
    const sent = pattern(400_000);
    const buffer = new Uint8Array(40_000);
    const send = (async () => {
      for (let at = 0; at < sent.length; at += buffer.length) {
        buffer.set(sent.subarray(at, at + buffer.length));
        await a.write(buffer);
        buffer.fill(0);
      }
      await finish(a);
    })();
    assertEquals(await readAll(b), sent);
    await send;
  });

  contract("an ordinary close is an end to the peer", async ({ a, b }) => {
    await a.write(pattern(50_000));
    a.close();
    a.close();
    assertEquals(await readAll(b), pattern(50_000));
    assertEquals(await b.ready(), false);
  });

  contract("an abort is a reset to the peer, not an end", async ({ a, b }) => {
    const waiting = codeOfRejection(b.ready());
    a.close(new Error("a reason"));
    a.close();
    assertEquals(await waiting, "reset");
    assertEquals(await codeOfRejection(b.write(Uint8Array.of(1))), "reset");
  });

  contract("an abort after our own end still stops the peer", async ({ a, b }) => {
    await a.closeWrite();
    if (a.halfCloses) assertEquals(await b.ready(), false);
    a.close(new Error("a reason"));
    const code = await failedWrite(b);
    assert(code === "reset" || code === "closed", code);
  });

  contract("a wait ends when we close", async ({ a }) => {
    const waiting = codeOfRejection(a.ready());
    a.close();
    assertEquals(await waiting, "closed");
    assertEquals(await codeOfRejection(a.ready()), "closed");
    assertEquals(await codeOfRejection(a.write(Uint8Array.of(1))), "closed");
  });

  contract("writing to a peer that has gone fails", async ({ a, b }) => {
    b.close();
    const code = await failedWrite(a);
    assert(code === "reset" || code === "closed", code);
  });

  contract("a write that waits ends when we close", async ({ a }) => {
    const waiting = codeOfRejection(a.write(pattern(1_000_000)));
    await a.readyBefore(soon());
    a.close();
    assertEquals(await waiting, "closed");
  });

  contract("a reader that does not read stops the writer, and loses nothing", async ({ a, b }) => {
    const piece = 100_000, pieces = 200;
    let sent = 0;
    const send = (async () => {
      for (let i = 0; i < pieces; i++, sent++) await a.write(pattern(piece, i));
      await finish(a);
    })();
    // The writer comes to rest: nothing more was sent in a while.
    for (let before = -1; before !== sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(sent < pieces, "20 MB were taken without anybody reading");
    const got = await readAll(b);
    for (let i = 0; i < pieces; i++) {
      const expected = pattern(piece, i);
      assert(got.subarray(i * piece, (i + 1) * piece).every((byte, j) => byte === expected[j]), `piece ${i}`);
    }
    assertEquals(got.length, piece * pieces);
    await send;
  });

  contract("an answer that was complete stays readable when the peer is gone", async ({ a, b }) => {
    await a.write(pattern(200_000));
    await a.closeWrite();
    const got = await readSome(b, 1);
    a.close();
    const rest = await readAll(b);
    assertEquals(got.length + rest.length, 200_000);
  });

  contract("bytes and an end that were received stay readable after we close", async ({ a, b }) => {
    await a.write(pattern(20_000));
    await finish(a);
    assertEquals(await b.ready(), true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    b.close();
    assertEquals(await readAll(b), pattern(20_000));
  });
}

async function failedWrite(stream: ByteStream): Promise<string> {
  for (let i = 0; i < 1000; i++) {
    const code = await codeOfRejection(stream.write(new Uint8Array(10_000)));
    if (code !== "none") return code;
  }
  return "none";
}
