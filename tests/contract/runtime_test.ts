import { assert, assertEquals, assertMatch } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { runtime } from "../../lib/runtime/mod.ts";
import type { Accepted } from "../../lib/stream/types.ts";
import { limited } from "../../lib/stream/limit.ts";
import { codeOfRejection, readSome } from "./streams.ts";

const never = new AbortController().signal;
const loopback = { host: "127.0.0.1", port: 0 };

Deno.test("a listener tells both addresses", async () => {
  const accepted = Promise.withResolvers<Accepted>();
  const listener = await runtime.listen(loopback, accepted.resolve);
  assertEquals(listener.address.host, "127.0.0.1");
  const stream = await runtime.dial(listener.address, {}, never);
  const { stream: other, local, remote } = await accepted.promise;
  assertEquals(local, listener.address);
  assertEquals(remote.host, "127.0.0.1");
  assert(remote.port > 0 && remote.port !== local.port);
  stream.close();
  other.close();
  listener.close();
});

Deno.test("IPv6 addresses come without brackets", async () => {
  const accepted = Promise.withResolvers<Accepted>();
  const listener = await runtime.listen({ host: "::1", port: 0 }, accepted.resolve);
  assertEquals(listener.address.host, "::1");
  const stream = await runtime.dial(listener.address, {}, never);
  const { stream: other, local, remote } = await accepted.promise;
  assertEquals([local.host, remote.host], ["::1", "::1"]);
  stream.close();
  other.close();
  listener.close();
});

Deno.test("a port that is taken is an error with a sentence", async () => {
  const listener = await runtime.listen(loopback, () => {});
  const error = await runtime.listen(listener.address, () => {}).catch((error) => error);
  assert(error instanceof MtrayError);
  assertEquals(error.code, "start");
  assertEquals(
    error.message,
    `cannot listen on 127.0.0.1:${listener.address.port}: the port is taken by another program`,
  );
  listener.close();
});

Deno.test("a closed listener accepts no more, and its port is free", async () => {
  const listener = await runtime.listen(loopback, ({ stream }) => stream.close());
  listener.close();
  listener.close();
  assertEquals(await codeOfRejection(runtime.dial(listener.address, {}, never)), "unreachable");
  (await runtime.listen(listener.address, () => {})).close();
});

Deno.test("a refused connection says so", async () => {
  // Nobody listens on port 1 of the loopback address.
  const error = await runtime.dial({ host: "127.0.0.1", port: 1 }, {}, never).catch((error) => error);
  assert(error instanceof MtrayError);
  assertEquals(error.code, "unreachable");
  assertEquals(error.message, "cannot connect to 127.0.0.1:1: connection refused");
});

Deno.test("a name without an address says so", async () => {
  const error = await runtime.dial({ host: "nowhere.invalid", port: 1 }, {}, never).catch((error) => error);
  assert(error instanceof MtrayError);
  assertEquals(error.code, "unreachable");
  assertMatch(error.message, /^cannot connect to nowhere\.invalid:1: the name has no address/);
});

Deno.test("a dial that was given up never begins", async () => {
  const controller = new AbortController();
  controller.abort(new MtrayError("stopped", "mtray is stopping"));
  let connections = 0;
  const listener = await runtime.listen(loopback, ({ stream }) => {
    connections++;
    stream.close();
  });
  assertEquals(await codeOfRejection(runtime.dial(listener.address, {}, controller.signal)), "stopped");
  const stream = await runtime.dial(listener.address, {}, never);
  assertEquals(await stream.ready(), false);
  assertEquals(connections, 1);
  stream.close();
  listener.close();
});

Deno.test("a limit that passes is told as such", async () => {
  const outer = new AbortController();
  const limit = limited(outer.signal, 1);
  await new Promise((resolve) => limit.signal.addEventListener("abort", resolve));
  assertEquals(limit.signal.reason.message, "no answer within 0.001 s");
  limit.done();
  const other = limited(outer.signal, 60_000);
  outer.abort(new MtrayError("stopped", "enough"));
  assertEquals(other.signal.reason.code, "stopped");
  other.done();
});

Deno.test("200 connections at once", async () => {
  const listener = await runtime.listen(loopback, async ({ stream }) => {
    const bytes = await readSome(stream, 3);
    await stream.write(bytes);
    await stream.closeWrite();
    stream.close();
  });
  const ask = async (i: number) => {
    const stream = await runtime.dial(listener.address, {}, never);
    await stream.write(Uint8Array.of(1, 2, i));
    assertEquals(await readSome(stream, 3), Uint8Array.of(1, 2, i));
    assertEquals(await stream.ready(), false);
    stream.close();
  };
  await Promise.all(Array.from({ length: 200 }, (_, i) => ask(i)));
  listener.close();
});

Deno.test("datagrams arrive as they were sent", async () => {
  const a = await runtime.openPackets(loopback), b = await runtime.openPackets(loopback);
  const addressOf = (stream: unknown) => (stream as { address: { host: string; port: number } }).address;
  for (const size of [0, 1, 1400, 9000]) {
    a.send(new Uint8Array(size).fill(size % 251), addressOf(b));
    const packet = await b.receive();
    assertEquals(packet?.data.length, size);
    assertEquals(packet?.from, addressOf(a));
  }
  const waiting = b.receive();
  b.close();
  b.close();
  assertEquals(await waiting, null);
  assertEquals(await b.receive(), null);
  a.send(new Uint8Array(3), addressOf(b));
  a.close();
});
