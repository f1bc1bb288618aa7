/** What sessions promise beyond tests/contract/byte_stream_test.ts, at both of their ends. */
// @ts-types="../../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type ByteStream, timedOut } from "../../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readAll, readSome } from "../../../contract/streams.ts";
import { Both, Handler } from "./support.ts";

const soon = () => performance.now() + 20;

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

  contract("an abort after our own end still stops the peer", async ({ a, b }) => {
    await a.closeWrite();
    if (a.halfCloses) assertEquals(await b.ready(), false);
    a.close(new Error("a reason"));
    const code = await failedWrite(b);
    assert(code === "reset" || code === "closed", code);
  });

  contract("a write that waits ends when we close", async ({ a }) => {
    const waiting = codeOfRejection(a.write(pattern(1_000_000)));
    await a.readyBefore(soon());
    a.close();
    assertEquals(await waiting, "closed");
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
