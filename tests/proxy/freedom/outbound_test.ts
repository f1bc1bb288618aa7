// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { FreedomOutbound } from "../../../lib/proxy/freedom/outbound.ts";
import type { FreedomSettings } from "../../../lib/proxy/freedom/settings.ts";
import { childSession } from "../../../lib/session.ts";
import { ascii, never, outboundWorld } from "../fakes.ts";

const TARGET = { host: "example.com", port: 53 };
const OTHER = { host: "1.1.1.1", port: 54 };

async function open(redirect?: FreedomSettings["redirect"]) {
  const { context, dialled, dialledPackets } = outboundWorld();
  const outbound = new FreedomOutbound(context, {
    domainStrategy: "AsIs",
    redirect,
    userLevel: undefined,
    timeout: undefined,
  });
  await outbound.connect(childSession(TARGET), never);
  const { packets, via } = await outbound.openPackets(childSession(TARGET, "udp"), never);
  const { target, end } = await dialledPackets.next();
  return { packets, via, end, targets: [(await dialled.next()).target, target] };
}

Deno.test("datagrams go to whoever they are for, and answers come from whoever answers", async () => {
  const { packets, via, end, targets } = await open();
  assertEquals([targets, via], [[TARGET, TARGET], ["hop", "out"]]);
  packets.send(ascii("one"), TARGET);
  packets.send(ascii("two"), OTHER);
  assertEquals(await end.receive(), { data: ascii("one"), from: TARGET });
  assertEquals(await end.receive(), { data: ascii("two"), from: OTHER });
  end.send(ascii("answer"), OTHER);
  assertEquals(await packets.receive(), { data: ascii("answer"), from: OTHER });
  packets.close();
  assertEquals(await end.receive(), null);
});

Deno.test("redirected datagrams all go to one place, and the client does not notice", async () => {
  const to = { host: "127.0.0.1", port: 5000 };
  const { packets, end, targets } = await open(to);
  assertEquals(targets, [to, to]);
  for (const target of [TARGET, OTHER]) {
    packets.send(ascii("question"), target);
    assertEquals((await end.receive())?.from, to);
    end.send(ascii("answer"), to);
    assertEquals(await packets.receive(), { data: ascii("answer"), from: target });
  }
  packets.close();
  assertEquals([await packets.receive(), await end.receive()], [null, null]);
});

Deno.test("where only the port is redirected the hosts stay", async () => {
  const { packets, end, targets } = await open({ port: 5000 });
  assertEquals(targets.map(({ host, port }) => [host, port]), [["example.com", 5000], ["example.com", 5000]]);
  packets.send(ascii("question"), OTHER);
  assertEquals((await end.receive())?.from, { host: "1.1.1.1", port: 5000 });
  end.send(ascii("answer"), { host: "1.1.1.1", port: 5000 });
  assertEquals((await packets.receive())?.from, OTHER);
  packets.close();
});
