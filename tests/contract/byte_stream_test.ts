import { assert, assertEquals } from "@std/assert";
import { type ByteStream, ROOM, timedOut } from "../../lib/stream/types.ts";
import { vmessClients, vmessServers } from "../proxy/vmess/kinds.ts";
import { muxSessions } from "../proxy/vmess/mux/kinds.ts";
import { ciphered } from "../stream/cipher_kinds.ts";
import * as layers from "./layers.ts";
import {
  accepted,
  codeOfRejection,
  type Kind,
  memory,
  type Pair,
  pattern,
  readAll,
  readSome,
  tcp,
} from "./streams.ts";

const soon = () => performance.now() + 20;
const later = () => performance.now() + 10_000;

/** Whether nothing more comes. What is taken before the end may be empty. */
async function ended(stream: ByteStream): Promise<boolean> {
  for (;;) {
    const more = await stream.readyBefore(later());
    if (more !== true) return more === false;
    if (stream.take().length > 0) return false;
  }
}

const kinds: Kind[] = [
  ...[memory, tcp, accepted],
  ...[layers.tls, layers.swapped(layers.tls)],
  ...[layers.tlsOverStreams, layers.swapped(layers.tlsOverStreams), layers.tlsInMemory],
  ...[layers.ws, layers.swapped(layers.ws), layers.wsInMemory],
  ...[layers.wsWithTls, layers.swapped(layers.wsWithTls)],
  ...[layers.httpUpgrade, layers.swapped(layers.httpUpgrade)],
  ...[layers.httpHeader, layers.swapped(layers.httpHeader)],
  ...[...vmessClients, ...vmessServers, ...muxSessions],
  ...ciphered,
];

for (const kind of kinds) {
  const halfCloses = kind.halfCloses !== false;
  /** Says that no more comes: of both directions at once, where one cannot end alone. */
  const finish = (stream: ByteStream) => halfCloses ? stream.closeWrite() : stream.close();
  const contract = (promise: string, body: (pair: Pair) => Promise<void>) =>
    Deno.test(`${kind.name}: ${promise}`, async () => {
      const pair = await kind.open();
      try {
        await body(pair);
      } finally {
        pair.end();
      }
    });

  /** For streams of which one direction can end alone. */
  const halfClosing = (promise: string, body: (pair: Pair) => Promise<void>) => {
    if (halfCloses) contract(promise, body);
  };

  contract("bytes arrive whole and in order, in both directions at once", async ({ a, b }) => {
    const up = pattern(3_000_001), down = pattern(2_000_003, 7);
    const send = async (stream: typeof a, bytes: Uint8Array) => {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 7 % 200_003 + 1) {
        await stream.write(bytes.slice(at, at + size));
      }
      if (halfCloses) await stream.closeWrite();
    };
    const read = (stream: ByteStream, { length }: Uint8Array) =>
      halfCloses ? readAll(stream) : readSome(stream, length);
    const [gotUp, gotDown] = await Promise.all([read(b, up), read(a, down), send(a, up), send(b, down)]);
    assertEquals(gotUp.length, up.length);
    assert(gotUp.every((byte, i) => byte === up[i]));
    assert(gotDown.length === down.length && gotDown.every((byte, i) => byte === down[i]));
  });

  contract("two pieces are sent as one after the other", async ({ a, b }) => {
    const send = (async () => {
      await a.write(Uint8Array.of(1, 2), pattern(100_000));
      await a.write(Uint8Array.of(3), new Uint8Array());
      await finish(a);
    })();
    const got = await readAll(b);
    await send;
    assertEquals([...got.subarray(0, 2), got.at(-1)], [1, 2, 3]);
    assertEquals(got.subarray(2, -1), pattern(100_000));
  });

  halfClosing("an end passes while the other direction goes on", async ({ a, b }) => {
    assertEquals(a.halfCloses, true);
    await a.write(Uint8Array.of(1));
    await a.closeWrite();
    assertEquals(await readAll(b), Uint8Array.of(1));
    const answer = pattern(1_000_000);
    const send = (async () => {
      await b.write(answer.slice());
      await b.closeWrite();
    })();
    assertEquals(await readAll(a), answer);
    await send;
    assertEquals([await a.ready(), await b.ready()], [false, false]);
  });

  halfClosing("both ends may finish at the same time", async ({ a, b }) => {
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
    assertEquals(await ended(b), true);
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
  });

  halfClosing("an abort after our own end is still a reset", async ({ a, b }) => {
    await a.closeWrite();
    assertEquals(await b.ready(), false);
    a.close(new Error("a reason"));
    let code = "none";
    for (let i = 0; i < 1000 && code === "none"; i++) {
      code = await codeOfRejection(b.write(new Uint8Array(10_000)));
    }
    assert(code === "reset" || code === "closed", code);
  });

  contract("a wait ends when we close", async ({ a }) => {
    const waiting = codeOfRejection(a.ready());
    a.close();
    assertEquals(await waiting, "closed");
    assertEquals(await codeOfRejection(a.ready()), "closed");
  });

  contract("writing to a peer that has gone fails", async ({ a, b }) => {
    b.close();
    let code = "none";
    for (let i = 0; i < 1000 && code === "none"; i++) {
      code = await codeOfRejection(a.write(new Uint8Array(10_000)));
    }
    assert(code === "reset" || code === "closed", code);
  });

  contract("a reader that does not read stops the writer, and loses nothing", async ({ a, b }) => {
    const piece = 100_000, pieces = 10 * (kind.holds ?? 20);
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
    assert(sent < pieces, `${pieces / 10} MB were taken without anybody reading`);
    for (let i = 0, left = new Uint8Array(); i < pieces; i++) {
      const expected = pattern(piece, i);
      const got = new Uint8Array(piece);
      let have = 0;
      while (have < piece) {
        if (left.length === 0) {
          assertEquals(await b.ready(), true);
          left = b.take().slice();
        }
        const part = left.subarray(0, piece - have);
        got.set(part, have);
        have += part.length;
        left = left.subarray(part.length);
      }
      assert(got.every((byte, j) => byte === expected[j]), `piece ${i} differs`);
    }
    assertEquals(await ended(b), true);
    await send;
  });

  contract("an answer that was complete stays readable when the peer is gone", async ({ a, b }) => {
    await a.write(pattern(200_000));
    if (halfCloses) await a.closeWrite();
    const got = await readSome(b, 1);
    a.close();
    const rest = await readAll(b);
    assertEquals(got.length + rest.length, 200_000);
  });
}
