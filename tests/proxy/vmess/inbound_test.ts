// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { MtrayError } from "../../../lib/errors.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import { clientPackets, type ClientRequest, clientStream } from "../../../lib/proxy/vmess/client_stream.ts";
import { OPTION, type RequestHeader, type Security } from "../../../lib/proxy/vmess/header.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { VmessInbound } from "../../../lib/proxy/vmess/inbound.ts";
import { MuxClient } from "../../../lib/proxy/vmess/mux/client.ts";
import { sealRequest } from "../../../lib/proxy/vmess/request.ts";
import type { VmessInboundSettings } from "../../../lib/proxy/vmess/settings.ts";
import type { InboundContext } from "../../../lib/proxy/types.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { DigestTable } from "../../../lib/stream/digest_table.ts";
import { type ByteStream, timedOut } from "../../../lib/stream/types.ts";
import { pattern, readAll, readSome } from "../../contract/streams.ts";
import { ascii, clock, comeTo, inboundWorld, never, SOURCE } from "../fakes.ts";
import { crypto, someRequest } from "./kinds.ts";

const target = { host: "example.com", port: 443 };
const ids = [parseId("first"), parseId("second")];
const accounts = ids.map((id) => new Account(id));

/** An inbound with two users. The clock stands at a second of the test's choice. */
function world(
  settings: Partial<VmessInboundSettings> = {},
  context: Partial<InboundContext> = {},
  handshake = 60_000,
) {
  const seconds = Math.floor(Date.now() / 1000);
  const differing: [string, number][] = [];
  const surroundings = inboundWorld({
    clock: { now: clock.now, wall: () => seconds * 1000 },
    digests: new DigestTable(),
    policy: () => ({ handshake, connIdle: 60_000, uplinkOnly: 60_000, downlinkOnly: 60_000 }),
    warnings: { beforeRelease: () => false, differs: (host, ahead) => differing.push([host, ahead]) },
    ...context,
  });
  const inbound = new VmessInbound(surroundings.context, {
    users: ids.map((id, i) => ({ id, email: `user${i}`, level: i })),
    disableInsecureEncryption: false,
    ...settings,
  });
  return { ...surroundings, inbound, seconds, differing };
}

function requestOf(
  about: Partial<RequestHeader>,
  seconds: number,
  { account = accounts[0], wire }: { account?: Account; wire?: Uint8Array } = {},
): ClientRequest {
  const header = someRequest({ target, ...about });
  return {
    header,
    wire: wire ?? sealRequest(header, { account, seconds, random: randomBytes, crypto }),
    crypto,
    random: randomBytes,
    terminates: true,
    unanswered: () => new MtrayError("refused", "no answer at all"),
  };
}

/** Whether somebody is neither answered nor sent away while the inbound goes on with others. */
async function isIgnored(client: ByteStream): Promise<boolean> {
  return await client.readyBefore(performance.now() + 30) === timedOut;
}

for (const security of ["aes-128-gcm", "chacha20-poly1305", "none"] as Security[]) {
  Deno.test(`every combination of options: ${security}`, async () => {
    for (let options = 0; options < 32; options++) {
      const { inbound, router, seconds } = world();
      const { client, over } = comeTo(inbound);
      const stream = clientStream(client, requestOf({ security, options }, seconds));
      await stream.write(pattern(40_000));
      const { session, end } = await router.opened.next();
      assertEquals([session.target, session.network, session.source], [target, "tcp", SOURCE]);
      assertEquals(await readSome(end, 40_000), pattern(40_000));
      await end.write(pattern(50_000, 2));
      assertEquals(await readSome(stream, 50_000), pattern(50_000, 2));
      await Promise.all([stream.closeWrite(), end.closeWrite()]);
      assertEquals((await readAll(stream)).length, 0);
      await over;
      assertEquals([session.bytesUp, session.bytesDown], [40_000, 50_000]);
    }
  });
}

Deno.test("users are told apart", async () => {
  const { inbound, router, seconds } = world();
  for (const [i, account] of accounts.entries()) {
    const { client } = comeTo(inbound);
    await clientStream(client, requestOf({}, seconds, { account })).write(ascii("x"));
    const { session } = await router.opened.next();
    assertEquals(session.user, { email: `user${i}`, level: i });
  }
  inbound.close();
});

Deno.test("datagrams to one destination, both ways", async () => {
  const { inbound, router, seconds } = world();
  const { client, over } = comeTo(inbound);
  const packets = clientPackets(client, target, requestOf({ command: "udp" }, seconds));
  packets.send(pattern(100), target);
  const { session, end } = await router.openedPackets.next();
  assertEquals([session.network, session.target], ["udp", target]);
  assertEquals(await end.receive(), { data: pattern(100), from: target });
  end.send(pattern(200), target);
  assertEquals(await packets.receive(), { data: pattern(200), from: target });
  packets.close();
  assertEquals(await end.receive(), null);
  await over;
});

Deno.test("a multiplexer's sessions, streams and datagrams", async () => {
  const { inbound, router, seconds, seen } = world();
  const { client, over } = comeTo(inbound);
  const request = requestOf({ command: "mux", target: undefined }, seconds);
  const mux = new MuxClient({ open: () => Promise.resolve(clientStream(client, request)), firstPayload: 1 });
  const places = [1, 2, 3].map((i) => ({ host: `host${i}.example`, port: i }));
  const streams = await Promise.all(places.map((place) => mux.connect(place, never)));
  for (const [i, stream] of streams.entries()) await stream.write(pattern(1000, i + 1));
  const ends = [await router.opened.next(), await router.opened.next(), await router.opened.next()];
  for (const { session, end } of ends) {
    assertEquals(await readSome(end, 1000), pattern(1000, session.target.port));
    await end.write(pattern(2000, session.target.port));
    assertEquals([session.user?.email, session.source], ["user0", SOURCE]);
  }
  for (const [i, stream] of streams.entries()) {
    assertEquals(await readSome(stream, 2000), pattern(2000, i + 1));
  }
  const packets = await mux.openPackets(target, never);
  packets.send(pattern(50), target);
  const { end } = await router.openedPackets.next();
  assertEquals((await end.receive())?.data, pattern(50));
  mux.close();
  await over;
  assertEquals(seen.filter(({ kind }) => kind === "session-closed").length, 4);
});

Deno.test("a header that does not open is never answered and never sent away, whatever its length", async () => {
  const { inbound, seconds, router, refusals } = world();
  const good = requestOf({}, seconds).wire;
  const flipped = (place: number) => {
    const { wire } = requestOf({}, seconds);
    wire[place] ^= 1;
    return wire;
  };
  const wrong: Uint8Array[] = [
    randomBytes(16),
    randomBytes(1000),
    randomBytes(20_000),
    ...[0, 15, 16, 33, 34, 41, 42, good.length - 16].map(flipped),
    requestOf({}, seconds, { account: new Account(parseId("nobody")) }).wire,
  ];
  const clients: ByteStream[] = [];
  for (const wire of wrong) {
    const { client } = comeTo(inbound);
    await client.write(concat(wire, randomBytes(300)));
    await client.write(randomBytes(5000));
    clients.push(client);
  }
  for (const client of clients) assertEquals(await isIgnored(client), true);
  assertEquals([refusals().length, router.opened.all.length], [wrong.length, 0]);
  inbound.close();
});

Deno.test("whoever cannot be served is let go when the handshake's time is over", async () => {
  const cases: ((client: ByteStream) => unknown)[] = [
    () => {},
    (client) => client.write(randomBytes(10)),
    (client) => client.write(randomBytes(100)),
  ];
  for (const begin of cases) {
    const { inbound, refusals } = world({}, {}, 40);
    const { client, over } = comeTo(inbound);
    const started = performance.now();
    await begin(client);
    await over;
    assert(performance.now() - started >= 39);
    assertEquals((await readAll(client)).length, 0);
    assertEquals(refusals().length, 1);
  }
});

Deno.test("a client's time may be off by two minutes and no more", async () => {
  const { inbound, seconds, router, refusals, differing } = world();
  for (const ahead of [-120, 120]) {
    const { client } = comeTo(inbound);
    await clientStream(client, requestOf({}, seconds + ahead)).write(ascii("x"));
    await router.opened.next();
  }
  for (const ahead of [-121, 121, 86_400, -seconds, -seconds - 1, -1e12]) {
    const { client } = comeTo(inbound);
    await client.write(requestOf({}, seconds + ahead).wire);
    assertEquals(await isIgnored(client), true);
  }
  assertEquals(differing.map(([, ahead]) => ahead), [-121, 121, 86_400, -seconds, -seconds - 1, -1e12]);
  assertEquals(refusals()[0], "bad-header: its clock differs by -121 s from ours, and 120 s are allowed");
  assertEquals(refusals().length, 6);
  inbound.close();
});

Deno.test("nobody is blamed for a clock of ours that was never set", async () => {
  const { inbound, seconds, refusals, differing } = world({}, {
    warnings: { beforeRelease: () => true, differs: () => differing.push(["", 0]) },
  });
  const { client } = comeTo(inbound);
  await client.write(requestOf({}, seconds + 1000).wire);
  assertEquals(await isIgnored(client), true);
  assertEquals([refusals().length, differing.length], [1, 0]);
  inbound.close();
});

Deno.test("a request is served once, and so are its keys", async () => {
  const { inbound, seconds, router, refusals } = world();
  const request = requestOf({}, seconds);
  const first = comeTo(inbound);
  await first.client.write(request.wire.slice());
  await router.opened.next();
  const second = comeTo(inbound);
  await second.client.write(request.wire.slice());
  assertEquals(await isIgnored(second.client), true);
  // The same keys in a request of its own.
  const third = comeTo(inbound);
  await third.client.write(
    sealRequest(request.header, { account: accounts[0], seconds, random: randomBytes, crypto }),
  );
  assertEquals(await isIgnored(third.client), true);
  // Another user's keys may be the same by chance.
  const fourth = comeTo(inbound);
  await fourth.client.write(
    sealRequest(request.header, { account: accounts[1], seconds, random: randomBytes, crypto }),
  );
  await router.opened.next();
  assertEquals(refusals(), ["replay: its auth id was used before", "replay: its key was used before"]);
  inbound.close();
});

Deno.test("a replay is noticed before anything else is, in every part of a header", async () => {
  const { inbound, seconds, router, refusals } = world();
  const { wire } = requestOf({}, seconds);
  await comeTo(inbound).client.write(wire.slice());
  await router.opened.next();
  const { client } = comeTo(inbound);
  await client.write(wire.slice(0, 16));
  assertEquals(await isIgnored(client), true);
  assertEquals(refusals(), ["replay: its auth id was used before"]);
  inbound.close();
});

Deno.test("disableInsecureEncryption refuses what is not encrypted, and nothing else", async () => {
  const { inbound, seconds, router, refusals } = world({ disableInsecureEncryption: true });
  for (const options of [0, OPTION.chunks | OPTION.masking]) {
    const { client } = comeTo(inbound);
    await client.write(requestOf({ security: "none", options }, seconds).wire);
    assertEquals(await isIgnored(client), true);
  }
  assertEquals(refusals().length, 2);
  await clientStream(comeTo(inbound).client, requestOf({}, seconds)).write(ascii("x"));
  await router.opened.next();
  inbound.close();
});

Deno.test("where there is no way out the client sees an answer that ends", async () => {
  const { inbound, seconds, router, refusals } = world();
  router.before = () => Promise.reject(new MtrayError("unreachable", "nobody is there"));
  const { client, over } = comeTo(inbound);
  const stream = clientStream(client, requestOf({}, seconds));
  await stream.write(ascii("x"));
  assertEquals((await readAll(stream)).length, 0);
  stream.close();
  await over;
  assertEquals(refusals(), ["unreachable: nobody is there"]);
});

Deno.test("a chunk that was changed on its way ends the connection, and the far end hears of an abort", async () => {
  const { inbound, seconds, router } = world();
  const { client, over } = comeTo(inbound);
  const request = requestOf({ options: OPTION.chunks }, seconds);
  await client.write(request.wire);
  const { end } = await router.opened.next();
  await client.write(concat(Uint8Array.of(0, 21), randomBytes(21)));
  const code = await end.ready().then(() => "end", (error) => error.code);
  assertEquals(code, "reset");
  await over;
});

Deno.test("too many undecided connections: the oldest goes", async () => {
  const { inbound, refusals } = world({}, { mostHandshakes: 2 });
  const [first, second, third] = [1, 2, 3].map(() => comeTo(inbound));
  await first.over;
  assertEquals(await first.client.ready(), false);
  assertEquals([await isIgnored(second.client), await isIgnored(third.client)], [true, true]);
  assertEquals(refusals().map((line) => line.split(":")[0]), ["handshake-limit"]);
  inbound.close();
  await Promise.all([second.over, third.over]);
});

Deno.test("a stop ends those who are undecided, and close everybody", async () => {
  const { inbound, seconds, router } = world();
  const undecided = comeTo(inbound);
  const served = comeTo(inbound);
  await clientStream(served.client, requestOf({}, seconds)).write(ascii("x"));
  await router.opened.next();
  inbound.stop();
  await undecided.over;
  inbound.close();
  await served.over;
});
