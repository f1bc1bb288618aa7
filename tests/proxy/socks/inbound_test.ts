// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type ErrorCode, MtrayError } from "../../../lib/errors.ts";
import { SocksInbound } from "../../../lib/proxy/socks/inbound.ts";
import type { SocksInboundSettings } from "../../../lib/proxy/socks/settings.ts";
import { datagram, login, parseDatagram, reply, reply4, request } from "../../../lib/proxy/socks/wire.ts";
import type { InboundContext } from "../../../lib/proxy/types.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { codeOfRejection, readAll } from "../../contract/streams.ts";
import { eachSplit, hex } from "../../support.ts";
import { ascii, comeTo, expectBytes, inboundWorld, LOCAL, SOURCE } from "../fakes.ts";

const TARGET = { host: "example.com", port: 443 };
const CONNECT = request(1, TARGET);
const ASSOCIATE = request(3, { host: "0.0.0.0", port: 0 });
const open: SocksInboundSettings = { accounts: null, udp: true, userLevel: 0 };
const closed: SocksInboundSettings = { accounts: new Map([["me", "pass word"]]), udp: true, userLevel: 3 };

function setUp(settings = open, given: Partial<InboundContext> = {}) {
  const world = inboundWorld(given);
  const inbound = new SocksInbound(world.context, settings);
  return { ...world, inbound, come: () => comeTo(inbound) };
}

Deno.test("a client of SOCKS 5 is connected, and told so only then", async () => {
  const { come, router } = setUp();
  const gate = Promise.withResolvers<void>();
  router.before = () => gate.promise;
  const { client, over } = come();
  await client.write(hex("050100"));
  await expectBytes(client, hex("0500"));
  await client.write(CONNECT);
  const answer = expectBytes(client, reply(0));
  gate.resolve();
  await answer;
  const { session, end } = await router.opened.next();
  assertEquals([session.target, session.source, session.local], [TARGET, SOURCE, LOCAL]);
  assertEquals([session.network, session.user], ["tcp", { email: "", level: 0 }]);
  await client.write(ascii("question"));
  await expectBytes(end, ascii("question"));
  await end.write(ascii("answer"));
  await end.closeWrite();
  assertEquals(await readAll(client), ascii("answer"));
  await client.closeWrite();
  assertEquals(await end.ready(), false);
  await over;
});

Deno.test("all that a client says, cut anywhere: nothing is lost, and what came too early goes to the target", async () => {
  const { come, router } = setUp(closed);
  const all = concat(hex("05020002"), login("me", "pass word"), CONNECT, ascii("early"));
  const splits: Uint8Array[][] = [];
  eachSplit(all, (pieces) => splits.push(pieces));
  for (const pieces of splits) {
    const { client, over } = come();
    for (const piece of pieces) await client.write(piece);
    await expectBytes(client, concat(hex("0502"), hex("0100"), reply(0)));
    const { session, end } = await router.opened.next();
    assertEquals([session.target, session.user], [TARGET, { email: "me", level: 3 }]);
    await expectBytes(end, ascii("early"));
    client.close();
    end.close();
    await over;
  }
});

Deno.test("clients of SOCKS 4 and 4a are connected", async () => {
  const { come, router } = setUp();
  for (
    const [said, host] of [
      [hex("040101bb0102030400"), "1.2.3.4"],
      [concat(hex("040101bb00000001"), ascii("me\0example.com\0")), "example.com"],
    ] as const
  ) {
    const { client, over } = come();
    await client.write(concat(said, ascii("early")));
    await expectBytes(client, reply4(0x5a));
    const { session, end } = await router.opened.next();
    assertEquals(session.target, { host, port: 443 });
    await expectBytes(end, ascii("early"));
    client.close();
    end.close();
    await over;
  }
});

Deno.test("who is not the one it must be is told so, and is in the log", async () => {
  const cases: [SocksInboundSettings, Uint8Array, string, string][] = [
    [closed, hex("050100"), "05ff", "no-user: it offers no password"],
    [open, hex("050102"), "05ff", "no-user: it insists on a password, and there is none"],
    [closed, concat(hex("050102"), login("me", "pass")), "05020101", "no-user: wrong user or password"],
    [closed, concat(hex("050102"), login("you", "")), "05020101", "no-user: wrong user or password"],
    [closed, hex("040101bb0102030400"), "005b000000000000", "no-user: SOCKS 4 has no passwords"],
    [
      { ...open, udp: false },
      concat(hex("050100"), ASSOCIATE),
      "0500" + "05070001000000000000",
      "bad-header: UDP is off",
    ],
    [
      open,
      concat(hex("050100"), request(2, TARGET)),
      "0500" + "05070001000000000000",
      "bad-header: it asks for no CONNECT",
    ],
    [
      open,
      concat(hex("050100"), hex("050100090000")),
      "0500" + "05080001000000000000",
      "bad-header: it asks for no address that could be",
    ],
    [
      open,
      concat(hex("050100"), request(1, { host: "1.2.3.4", port: 0 })),
      "0500" + "05010001000000000000",
      "bad-header: it asks for port 0",
    ],
    [open, hex("040201bb0102030400"), "005b000000000000", "bad-header: it asks for no CONNECT"],
  ];
  for (const [settings, said, told, logged] of cases) {
    const { come, router, refusals } = setUp(settings);
    const { client, over } = come();
    await client.write(said);
    assertEquals(await readAll(client), hex(told));
    client.close();
    await over;
    assertEquals([refusals(), router.opened.all.length], [[logged], 0]);
  }
});

Deno.test("a client hears in its protocol's words why there is no way", async () => {
  const codes: [ErrorCode, number][] = [
    ["blocked", 2],
    ["unreachable", 4],
    ["refused", 5],
    ["timed-out", 6],
    ["protocol", 1],
    ["unsupported", 1],
  ];
  for (const [code, told] of codes) {
    const { come, router, refusals } = setUp();
    router.before = () => Promise.reject(new MtrayError(code, "because"));
    const five = come();
    await five.client.write(concat(hex("050100"), CONNECT, ascii("early")));
    assertEquals(await readAll(five.client), concat(hex("0500"), reply(told)));
    five.client.close();
    const four = come();
    await four.client.write(hex("040101bb0102030400"));
    assertEquals(await readAll(four.client), reply4(0x5b));
    four.client.close();
    await Promise.all([five.over, four.over]);
    const reason = code === "blocked" ? "blocked" : "unreachable";
    assertEquals(refusals(), [`${reason}: because`, `${reason}: because`]);
  }
});

Deno.test("with sniffing a client is told to go on at once, and what it says decides about the target", async () => {
  const sniffing = { protocols: ["http"] as const, routeOnly: false, domainsExcluded: [] };
  const { come, router } = setUp(open, { sniffing });
  const { client, over } = come();
  await client.write(concat(hex("050100"), request(1, { host: "1.2.3.4", port: 80 })));
  await expectBytes(client, concat(hex("0500"), reply(0)));
  assertEquals(router.opened.all.length, 0);
  const said = ascii("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
  await client.write(said.slice());
  const { session, end } = await router.opened.next();
  assertEquals(session.target, { host: "example.com", port: 80 });
  assertEquals(session.sniffed, { protocol: "http", domain: "example.com" });
  await expectBytes(end, said);
  client.close();
  end.close();
  await over;
});

Deno.test("handshakes are bounded in time and in bytes", async () => {
  const policy = () => ({ handshake: 20, connIdle: 1000, uplinkOnly: 1000, downlinkOnly: 1000 });
  const slow = setUp(open, { policy });
  const silent = slow.come();
  assertEquals(await readAll(silent.client), new Uint8Array());
  await silent.over;
  assertEquals(slow.refusals(), ["handshake-timeout: cannot read the handshake: it took too long"]);

  const { come, refusals } = setUp();
  const endless = come();
  await endless.client.write(concat(hex("040101bb01020304"), new Uint8Array(2000).fill(65)));
  assertEquals(await readAll(endless.client), new Uint8Array());
  await endless.over;
  assertEquals(refusals(), ["bad-header: cannot read the handshake: more than 1024 bytes"]);

  const other = come();
  await other.client.write(ascii("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(await readAll(other.client), new Uint8Array());
  await other.over;
  assertEquals(refusals()[1], "bad-header: cannot read the greeting: its version is not 5");

  const early = come();
  await early.client.write(hex("0501"));
  early.client.close();
  await early.over;
  assertEquals(refusals().length, 2);
});

const [A, B] = [{ host: "1.1.1.1", port: 53 }, { host: "example.com", port: 123 }];

Deno.test("UDP: datagrams pass both ways, whoever they are for", async () => {
  const { come, router, ports } = setUp(closed);
  const { client, over } = come();
  await client.write(concat(hex("050102"), login("me", "pass word"), ASSOCIATE));
  await expectBytes(client, concat(hex("0502"), hex("0100"), reply(0, { host: LOCAL.host, port: 50_000 })));
  const [port] = ports;
  const source = { host: SOURCE.host, port: 9 };
  port.arrive(datagram(A, ascii("one")), source);
  port.arrive(datagram(B, ascii("two")), source);
  const { session, end } = await router.openedPackets.next();
  assertEquals([session.network, session.target, session.source], ["udp", A, source]);
  assertEquals(session.user, { email: "me", level: 3 });
  assertEquals(await end.receive(), { data: ascii("one"), from: A });
  assertEquals(await end.receive(), { data: ascii("two"), from: B });
  end.send(ascii("answer"), { host: "9.9.9.9", port: 99 });
  const sent = await port.sent();
  assertEquals(sent?.to, source);
  assertEquals(parseDatagram(sent!.data), { target: { host: "9.9.9.9", port: 99 }, data: ascii("answer") });
  // It ends with the control connection.
  client.close();
  await over;
  assertEquals([port.closed, await end.receive()], [true, null]);
});

Deno.test("UDP: only the client is listened to, and only whole datagrams", async () => {
  const { come, router, ports } = setUp({ ...open, ip: "203.0.113.7" });
  const { client, over } = come();
  await client.write(concat(hex("050100"), ASSOCIATE));
  // The config says what clients shall be told.
  await expectBytes(client, concat(hex("0500"), reply(0, { host: "203.0.113.7", port: 50_000 })));
  const [port] = ports;
  const source = { host: SOURCE.host, port: 9 };
  port.arrive(datagram(A, ascii("stranger")), { host: "192.168.1.6", port: 9 });
  port.arrive(datagram(A, ascii("fragment")).with(2, 1), source);
  port.arrive(ascii("x"), source);
  port.arrive(datagram(A, ascii("first")), source);
  port.arrive(datagram(A, ascii("another port")), { ...source, port: 10 });
  port.arrive(datagram(A, ascii("last")), source);
  const { end } = await router.openedPackets.next();
  for (const expected of ["first", "last"]) assertEquals((await end.receive())?.data, ascii(expected));
  client.close();
  await over;
});

Deno.test("UDP: a refused target neither ends the association nor fills the log", async () => {
  const { come, router, ports, refusals } = setUp();
  router.before = () => Promise.reject(new MtrayError("blocked", "because"));
  const { client, over } = come();
  await client.write(concat(hex("050100"), ASSOCIATE));
  await expectBytes(client, concat(hex("0500"), reply(0, { host: LOCAL.host, port: 50_000 })));
  for (let i = 0; i < 20; i++) {
    ports[0].arrive(datagram(A, Uint8Array.of(i)), SOURCE);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(refusals(), ["blocked: because"]);
  assertEquals(ports[0].closed, false);
  // Another target has its way, also when a datagram for it waited behind a refused one.
  router.before = ({ target }) =>
    target.host === B.host ? Promise.resolve() : Promise.reject(new MtrayError("blocked", "because"));
  ports[0].arrive(datagram({ host: "1.1.1.2", port: 53 }, ascii("one")), SOURCE);
  ports[0].arrive(datagram(B, ascii("two")), SOURCE);
  const { end } = await router.openedPackets.next();
  assertEquals(await end.receive(), { data: ascii("two"), from: B });
  assertEquals(refusals().length, 2);
  client.close();
  await over;
});

Deno.test("UDP: refused targets without end do not fill the log", async () => {
  const { come, router, ports, refusals } = setUp();
  router.before = () => Promise.reject(new MtrayError("blocked", "because"));
  const { client, over } = come();
  await client.write(concat(hex("050100"), ASSOCIATE));
  await expectBytes(client, concat(hex("0500"), reply(0, { host: LOCAL.host, port: 50_000 })));
  for (let i = 0; i < 300; i++) {
    ports[0].arrive(datagram({ host: "1.1.1.1", port: 1000 + i }, ascii("x")), SOURCE);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(refusals().length, 64);
  client.close();
  await over;
});

Deno.test("UDP: without a port there is a failure", async () => {
  const { come, refusals } = setUp(open, {
    openPackets: () => Promise.reject(new MtrayError("start", "cannot bind UDP")),
  });
  const { client, over } = come();
  await client.write(concat(hex("050100"), ASSOCIATE));
  assertEquals(await readAll(client), concat(hex("0500"), reply(1)));
  client.close();
  await over;
  assertEquals(refusals(), ["unreachable: cannot bind UDP"]);
});

Deno.test("stop and close end handshakes, connections and associations", async () => {
  for (const how of ["stop", "close"] as const) {
    const { inbound, come, router, ports } = setUp();
    const greeting = come(), connected = come(), associated = come();
    await connected.client.write(concat(hex("050100"), CONNECT));
    const { end } = await router.opened.next();
    await associated.client.write(concat(hex("050100"), ASSOCIATE));
    await expectBytes(associated.client, concat(hex("0500"), reply(0, { host: LOCAL.host, port: 50_000 })));
    inbound[how]();
    await Promise.all([greeting.over, connected.over, associated.over]);
    // What is cut off at once must not look like an end.
    assertEquals(await codeOfRejection(end.ready()), how === "stop" ? "none" : "reset");
    assertEquals(ports[0].closed, true);
  }
});
