// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../../lib/errors.ts";
import { DokodemoInbound } from "../../../lib/proxy/dokodemo_door/inbound.ts";
import type { DokodemoSettings } from "../../../lib/proxy/dokodemo_door/settings.ts";
import type { InboundContext } from "../../../lib/proxy/types.ts";
import { MOST_WAITING } from "../../../lib/stream/types.ts";
import { readAll } from "../../contract/streams.ts";
import { ascii, comeTo, expectBytes, FakePort, inboundWorld, SOURCE } from "../fakes.ts";

const TARGET = { host: "example.com", port: 7 };
const both: DokodemoSettings = { target: TARGET, tcp: true, udp: true, userLevel: 2 };
const at = (port: number) => ({ host: "192.168.1.9", port });

function setUp(settings = both, given: Partial<InboundContext> = {}) {
  const world = inboundWorld(given);
  const inbound = new DokodemoInbound(world.context, settings);
  const port = new FakePort({ host: "0.0.0.0", port: 7000 });
  return { ...world, inbound, port, serving: inbound.acceptPackets?.(port) };
}

Deno.test("a connection goes to the one target, whoever speaks first", async () => {
  const { inbound, router, serving, port } = setUp();
  const { client, over } = comeTo(inbound);
  const { session, end } = await router.opened.next();
  assertEquals([session.target, session.source, session.user], [TARGET, SOURCE, { email: "", level: 2 }]);
  await end.write(ascii("welcome"));
  await expectBytes(client, ascii("welcome"));
  await client.write(ascii("thanks"));
  await client.closeWrite();
  assertEquals(await readAll(end), ascii("thanks"));
  await end.closeWrite();
  await over;
  port.close();
  await serving;
});

Deno.test("without a way out a client sees an end", async () => {
  const { inbound, router, refusals, port } = setUp();
  router.before = () => Promise.reject(new MtrayError("unreachable", "because"));
  const { client, over } = comeTo(inbound);
  assertEquals(await client.ready(), false);
  await over;
  assertEquals(refusals(), ["unreachable: because"]);
  port.close();
});

Deno.test("the config says which networks are served", () => {
  for (const [tcp, udp] of [[true, false], [false, true], [true, true]]) {
    const { inbound, port } = setUp({ ...both, tcp, udp });
    assertEquals([inbound.acceptsStreams, inbound.acceptPackets !== undefined], [tcp, udp]);
    port.close();
  }
});

Deno.test("a timeout of its own is the idle time", async () => {
  const { inbound, router, port } = setUp({ ...both, timeout: 1 });
  const { client, over } = comeTo(inbound);
  const { end } = await router.opened.next();
  assertEquals(await client.ready(), false);
  assertEquals(await end.ready(), false);
  await over;
  port.close();
});

Deno.test("each client's address has a flow of its own, and gets its own answers", async () => {
  const { router, port, serving } = setUp();
  for (const i of [1, 2, 1]) port.arrive(Uint8Array.of(i), at(i));
  const first = await router.openedPackets.next(), second = await router.openedPackets.next();
  assertEquals([first.session.source, second.session.source], [at(1), at(2)]);
  assertEquals([first.session.network, first.session.target], ["udp", TARGET]);
  for (let i = 0; i < 2; i++) {
    assertEquals(await first.end.receive(), { data: Uint8Array.of(1), from: TARGET });
  }
  assertEquals(await second.end.receive(), { data: Uint8Array.of(2), from: TARGET });
  second.end.send(ascii("two"), TARGET);
  assertEquals(await port.sent(), { data: ascii("two"), to: at(2) });
  // From anywhere: to the client it all comes from this port.
  first.end.send(ascii("one"), { host: "9.9.9.9", port: 9 });
  assertEquals(await port.sent(), { data: ascii("one"), to: at(1) });
  assertEquals(router.openedPackets.all.length, 2);
  // A flow that ended begins anew.
  first.end.close();
  for (let tries = 0; router.openedPackets.all.length === 2 && tries < 100; tries++) {
    port.arrive(ascii("again"), at(1));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(router.openedPackets.all[2].session.source, at(1));
  port.close();
  await serving;
  assertEquals(await second.end.receive(), null);
});

Deno.test("beyond 1024 flows the one that was idle longest goes", async () => {
  const { router, port, serving } = setUp();
  for (let i = 1; i <= 1024; i++) {
    port.arrive(Uint8Array.of(1), at(i));
    await router.openedPackets.next();
  }
  const ends = router.openedPackets.all.map(({ end }) => end);
  for (const end of ends) await end.receive();
  port.arrive(Uint8Array.of(2), at(1));
  assertEquals((await ends[0].receive())?.data, Uint8Array.of(2));
  port.arrive(Uint8Array.of(3), at(2000));
  await router.openedPackets.next();
  assertEquals(await ends[1].receive(), null);
  port.arrive(Uint8Array.of(4), at(1));
  assertEquals((await ends[0].receive())?.data, Uint8Array.of(4));
  port.close();
  await serving;
});

Deno.test("datagrams wait for a way out, the newest ones; a refused one is in the log once", async () => {
  const { router, port, serving, refusals } = setUp();
  const gate = Promise.withResolvers<void>();
  router.before = () => gate.promise;
  for (let i = 0; i < MOST_WAITING + 6; i++) {
    port.arrive(Uint8Array.of(i), at(1));
    await Promise.resolve();
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  gate.resolve();
  const { end } = await router.openedPackets.next();
  assertEquals((await end.receive())?.data, Uint8Array.of(6));
  router.before = () => Promise.reject(new MtrayError("blocked", "because"));
  for (let i = 0; i < 20; i++) {
    port.arrive(Uint8Array.of(i), at(2));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(refusals(), ["blocked: because"]);
  port.close();
  await serving;
});

Deno.test("stop and close end the flows", async () => {
  for (const how of ["stop", "close"] as const) {
    const { inbound, router, port, serving } = setUp();
    port.arrive(Uint8Array.of(1), at(1));
    const { end } = await router.openedPackets.next();
    await end.receive();
    inbound[how]();
    assertEquals(await end.receive(), null);
    port.close();
    await serving;
  }
});
