// @ts-types="../../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../../../lib/errors.ts";
import { MuxClient } from "../../../../lib/proxy/vmess/mux/client.ts";
import { memoryPair } from "../../../../lib/stream/pair.ts";
import { type ByteStream, timedOut } from "../../../../lib/stream/types.ts";
import { codeOfRejection } from "../../../contract/streams.ts";
import { Both, example, Handler, Later, never, RawPeer } from "./support.ts";

const hello = Uint8Array.of(1, 2, 3);

/** Carriers whose other ends the test plays. */
function rawServer() {
  const peers = new Later<RawPeer>();
  const open = () => {
    const [carrier, peer] = memoryPair();
    peers.put(new RawPeer(peer));
    return Promise.resolve(carrier);
  };
  return { open, peers };
}

Deno.test("the first frame takes along what is written soon", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open });
  const stream = await client.connect(example, never);
  const raw = await peers.next();
  assertEquals(await raw.stream.readyBefore(performance.now() + 20), timedOut);
  await stream.write(hello);
  assertEquals(await raw.next(), "new 1 tcp example.com:443 3 bytes");
  client.close();
});

Deno.test("the first frame goes alone when nothing is written soon, or there is an end", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open, firstPayload: 5 });
  const stream = await client.connect(example, never);
  const raw = await peers.next();
  assertEquals(await raw.next(), "new 1 tcp example.com:443");
  await stream.write(hello);
  assertEquals(await raw.next(), "keep 1 3 bytes");
  const patient = new MuxClient({ open, firstPayload: 60_000 });
  await (await patient.connect(example, never)).closeWrite();
  assertEquals(await (await peers.next()).next(), "new 1 tcp example.com:443");
  client.close();
  patient.close();
});

Deno.test("a session that is closed before its first frame leaves no trace", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open });
  (await client.connect(example, never)).close();
  const second = await client.connect(example, never);
  await second.write(hello);
  assertEquals(await (await peers.next()).next(), "new 2 tcp example.com:443 3 bytes");
  client.close();
});

Deno.test("a carrier takes so many sessions at a time, and a place becomes free", async () => {
  const both = new Both(new Handler(), { client: { concurrency: 2 } });
  const streams = await Promise.all(Array.from({ length: 5 }, () => both.connect()));
  assertEquals(both.carriers.length, 3);
  streams[0].close();
  await both.connect();
  await both.connect();
  assertEquals(both.carriers.length, 3);
  await both.connect();
  assertEquals(both.carriers.length, 4);
  await both.end();
});

Deno.test("a carrier takes 128 sessions in its life, and is closed after the last", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open, idle: 600_000 });
  for (let i = 1; i <= 128; i++) {
    const stream = await client.connect(example, never);
    await stream.write(hello);
    stream.close();
  }
  const first = await peers.next();
  for (let i = 1; i <= 128; i++) {
    assertEquals(await first.next(), `new ${i} tcp example.com:443 3 bytes`);
    assertEquals(await first.next(), `end ${i}`);
  }
  assertEquals(await first.next(), "the carrier's end");
  await (await client.connect(example, never)).write(hello);
  assertEquals(await (await peers.next()).next(), "new 1 tcp example.com:443 3 bytes");
  client.close();
});

Deno.test("a carrier that has no session is closed after a while, and not before", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open, idle: 1 });
  const stream = await client.connect(example, never);
  const raw = await peers.next();
  await stream.write(hello);
  await raw.next();
  // A session that is silent is no reason.
  assertEquals(await raw.stream.readyBefore(performance.now() + 1100), timedOut);
  stream.close();
  assertEquals([await raw.next(), await raw.next()], ["end 1", "the carrier's end"]);
  await client.connect(example, never);
  await peers.next();
  client.close();
});

Deno.test("a carrier that the server closed is not used again", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open });
  const stream = await client.connect(example, never);
  (await peers.next()).stream.close();
  assertEquals(await codeOfRejection(stream.ready()), "closed");
  await (await client.connect(example, never)).write(hello);
  assertEquals(await (await peers.next()).next(), "new 1 tcp example.com:443 3 bytes");
  client.close();
});

Deno.test("a carrier that breaks tells its sessions why", async () => {
  const { open, peers } = rawServer();
  const client = new MuxClient({ open });
  const streams = [await client.connect(example, never), await client.connect(example, never)];
  (await peers.next()).stream.close(new Error("gone"));
  for (const stream of streams) {
    const error: unknown = await stream.ready().then(() => null, (error) => error);
    assertEquals(
      String(error),
      "MtrayError: cannot go on with a multiplexed connection: the peer aborted the connection",
    );
    assertEquals((error as MtrayError).code, "reset");
  }
  client.close();
});

Deno.test("whoever waits for a carrier that cannot be opened learns why, and the next one tries again", async () => {
  let tries = 0;
  const open = () => {
    tries++;
    return Promise.reject(new MtrayError("unreachable", "cannot connect to it: nobody is there"));
  };
  const client = new MuxClient({ open });
  const codes = [client.connect(example, never), client.openPackets(example, never)].map(codeOfRejection);
  assertEquals(await Promise.all(codes), ["unreachable", "unreachable"]);
  assertEquals(tries, 1);
  assertEquals(await codeOfRejection(client.connect(example, never)), "unreachable");
  assertEquals(tries, 2);
  client.close();
});

Deno.test("one who gives up does not stop the opening that another waits for", async () => {
  const opened = Promise.withResolvers<ByteStream>();
  let stopped = false;
  const client = new MuxClient({
    open: (signal) => {
      signal.addEventListener("abort", () => stopped = true);
      return opened.promise;
    },
  });
  const impatient = new AbortController();
  const first = codeOfRejection(client.connect(example, impatient.signal));
  const second = client.connect(example, never);
  impatient.abort(new MtrayError("timed-out", "no answer"));
  assertEquals([await first, stopped], ["timed-out", false]);
  const [carrier, peer] = memoryPair();
  opened.resolve(carrier);
  await (await second).write(hello);
  assertEquals(await new RawPeer(peer).next(), "new 1 tcp example.com:443 3 bytes");
  client.close();
});

Deno.test("when all have given up the opening stops, and a carrier that comes late is closed", async () => {
  const opened = Promise.withResolvers<ByteStream>();
  let stopped: unknown;
  const client = new MuxClient({
    idle: 600_000,
    open: (signal) => {
      signal.addEventListener("abort", () => stopped = signal.reason);
      return opened.promise;
    },
  });
  const impatient = new AbortController();
  const waiting = codeOfRejection(client.connect(example, impatient.signal));
  impatient.abort();
  assertEquals(await waiting, "stopped");
  assertEquals(stopped instanceof MtrayError, true);
  const [carrier, peer] = memoryPair();
  opened.resolve(carrier);
  assertEquals(await new RawPeer(peer).next(), "the carrier's end");
  assertEquals(await codeOfRejection(client.connect(example, impatient.signal)), "stopped");
  client.close();
});

Deno.test("close ends everything, and nothing is opened after it", async () => {
  const handler = new Handler();
  const both = new Both(handler, { client: { xudp: true } });
  const stream = await both.connect();
  const packets = await both.client.openPackets(example, never);
  const waiting = [codeOfRejection(stream.ready()), packets.receive()];
  both.client.close();
  both.client.close();
  assertEquals(await Promise.all(waiting), ["stopped", null]);
  assertEquals(await codeOfRejection(both.connect()), "stopped");
  assertEquals(await Promise.all(both.served), ["served", "served"]);
});

Deno.test("close stops an opening", async () => {
  const client = new MuxClient({
    open: (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  const waiting = codeOfRejection(client.connect(example, never));
  client.close();
  assertEquals(await waiting, "stopped");
});

Deno.test("a hundred sessions, one after another, share a carrier and leave nothing behind", async () => {
  const both = new Both({ stream: () => Promise.resolve(), packets: () => Promise.resolve() }, {
    client: { concurrency: 1, idle: 1 },
  });
  for (let i = 0; i < 100; i++) {
    const stream = await both.connect();
    await stream.write(hello);
    assertEquals(await stream.ready(), false);
    await stream.closeWrite();
    stream.close();
  }
  assertEquals(await Promise.all(both.served), ["served"]);
  await both.end();
});
