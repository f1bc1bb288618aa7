// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../../lib/errors.ts";
import { SocksOutbound } from "../../../lib/proxy/socks/outbound.ts";
import type { Server } from "../../../lib/proxy/server_settings.ts";
import { datagram, login, parseDatagram, reply, request } from "../../../lib/proxy/socks/wire.ts";
import type { OutboundContext } from "../../../lib/proxy/types.ts";
import { childSession } from "../../../lib/session.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import type { ByteStream } from "../../../lib/stream/types.ts";
import { hex } from "../../support.ts";
import { ascii, expectBytes, never, outboundWorld } from "../fakes.ts";

const TARGET = { host: "example.com", port: 443 };
const SERVER = { host: "proxy.example", port: 1080 };
const me = { user: "me", pass: "secret" };

function setUp(servers: Server[] = [{ address: SERVER, users: [] }], given: Partial<OutboundContext> = {}) {
  const world = outboundWorld(given);
  return { ...world, outbound: new SocksOutbound(world.context, { servers }) };
}

/** A server's part of a handshake with a password. */
async function serve(end: ByteStream, answer: Uint8Array) {
  await expectBytes(end, hex("05020002"));
  await end.write(hex("0502"));
  await expectBytes(end, login("me", "secret"));
  await end.write(concat(hex("0100")));
  await end.write(answer);
}

Deno.test("a connection goes by way of the server, and names stay names", async () => {
  const { outbound, dialled } = setUp();
  const connecting = outbound.connect({ ...childSession(TARGET), alone: true }, never);
  const { target, options, end } = await dialled.next();
  assertEquals([target, options.alone], [SERVER, true]);
  await expectBytes(end, hex("050100"));
  await end.write(hex("0500"));
  await expectBytes(end, request(1, TARGET));
  // What the target says at once comes with the server's answer.
  await end.write(concat(reply(0), ascii("early")));
  const { stream, via, adopted } = await connecting;
  assertEquals([via, adopted], [["hop", "out"], false]);
  await expectBytes(stream, ascii("early"));
  await stream.write(ascii("question"));
  await expectBytes(end, ascii("question"));
  stream.close();
});

Deno.test("user and password are said to a server that asks, and only to that one", async () => {
  const { outbound, dialled } = setUp([{ address: SERVER, users: [me] }]);
  const first = outbound.connect(childSession(TARGET), never);
  const asking = (await dialled.next()).end;
  await serve(asking, new Uint8Array());
  await expectBytes(asking, request(1, TARGET));
  await asking.write(reply(0));
  (await first).stream.close();
  const second = outbound.connect(childSession(TARGET), never);
  const { end } = await dialled.next();
  await expectBytes(end, hex("05020002"));
  await end.write(hex("0500"));
  await expectBytes(end, request(1, TARGET));
  await end.write(reply(0));
  (await second).stream.close();
});

Deno.test("what a server says against it is told in words, without the password", async () => {
  const cases: [Server["users"], Uint8Array[], string][] = [
    [[], [hex("05ff")], "the server takes no password"],
    [[], [hex("0502")], "the server asks for a user and password"],
    [[me], [hex("05ff")], "the server takes no password"],
    [[me], [hex("0502"), hex("0101")], "the server does not take the user and password"],
    [[], [hex("0500"), reply(2)], "the server says: not allowed by its rules"],
    [[], [hex("0500"), reply(4)], "the server says: host unreachable"],
    [[], [hex("0500"), hex("0505")], "the server says: connection refused"],
    [[], [hex("0500"), reply(0x5b)], "the server says: code 91"],
    [[], [], "cannot read the handshake: the peer finished before its end"],
  ];
  for (const [users, answers, words] of cases) {
    const { outbound, dialled } = setUp([{ address: SERVER, users }]);
    const failing = outbound.connect(childSession(TARGET), never).catch((error) => error);
    const { end } = await dialled.next();
    for (const answer of answers) await end.write(answer.slice());
    if (answers.length === 0) await end.closeWrite();
    const error = await failing;
    if (!(error instanceof MtrayError)) throw error;
    const expected = users.length === 0 && words.includes("takes no password")
      ? "the server asks for a user and password"
      : words;
    assertEquals([error.code, error.message], [
      "refused",
      `cannot connect through proxy.example:1080: ${expected}`,
    ]);
    while (await end.ready()) end.take();
  }
});

Deno.test("a server that speaks another protocol is told as that", async () => {
  const { outbound, dialled } = setUp();
  const failing = outbound.connect(childSession(TARGET), never).catch((error) => error);
  await (await dialled.next()).end.write(ascii("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const error = await failing;
  assertEquals([error.code, error.message], [
    "protocol",
    "cannot connect through proxy.example:1080: cannot read the answer: its version is not 5",
  ]);
});

Deno.test("servers take turns, and so do their users; one that cannot be reached is passed over", async () => {
  const servers = [
    { address: { host: "a", port: 1 }, users: [{ user: "1", pass: "" }, { user: "2", pass: "" }] },
    { address: { host: "b", port: 2 }, users: [] },
  ];
  const asked: string[] = [];
  const { context, outbound, dialled } = setUp(servers);
  for (let i = 0; i < 4; i++) {
    const connecting = outbound.connect(childSession(TARGET), never).catch((error) => error);
    const { target, end } = await dialled.next();
    asked.push(target.host);
    if (target.host === "a") {
      await end.write(hex("0502"));
      await expectBytes(end, hex("05020002"));
      await expectBytes(end, login(String(1 + i / 2), ""));
    }
    end.close();
    await connecting;
  }
  assertEquals(asked, ["a", "b", "a", "b"]);
  const tried: string[] = [];
  const failing = new SocksOutbound({
    ...context,
    dial: ({ host }) => {
      tried.push(host);
      return Promise.reject(new MtrayError("unreachable", `${host} is off`));
    },
  }, { servers });
  for (const last of ["b is off", "a is off"]) {
    const error = await failing.connect(childSession(TARGET), never).catch((error) => error);
    assertEquals([error.code, error.message], ["unreachable", last]);
  }
  assertEquals(tried, ["a", "b", "b", "a"]);
});

Deno.test("giving up ends the handshake", async () => {
  const { outbound, dialled } = setUp();
  const controller = new AbortController();
  const failing = outbound.connect(childSession(TARGET), controller.signal).catch((error) => error);
  const { end } = await dialled.next();
  await expectBytes(end, hex("050100"));
  controller.abort(new MtrayError("timed-out", "no answer within 30 s"));
  const error = await failing;
  assertEquals([error.code, error.message], [
    "timed-out",
    "cannot connect through proxy.example:1080: no answer within 30 s",
  ]);
});

const [A, B] = [{ host: "1.1.1.1", port: 53 }, { host: "example.com", port: 123 }];

Deno.test("UDP goes to where the server says, for as long as its control connection lives", async () => {
  for (
    const [bound, relay] of [
      [{ host: "198.51.100.7", port: 5000 }, { host: "198.51.100.7", port: 5000 }],
      [{ host: "0.0.0.0", port: 5000 }, { host: "proxy.example", port: 5000 }],
      [{ host: "::", port: 5000 }, { host: "proxy.example", port: 5000 }],
    ]
  ) {
    const { outbound, dialled, dialledPackets } = setUp();
    const opening = outbound.openPackets(childSession(A, "udp"), never);
    const { end: control } = await dialled.next();
    await control.write(hex("0500"));
    await expectBytes(control, concat(hex("050100"), request(3, { host: "0.0.0.0", port: 0 })));
    await control.write(reply(0, bound));
    const { target, end } = await dialledPackets.next();
    assertEquals(target, relay);
    const { packets, via } = await opening;
    assertEquals(via, ["hop", "out"]);
    for (const to of [A, B]) {
      packets.send(ascii("question"), to);
      const sent = await end.receive();
      assertEquals([parseDatagram(sent!.data), sent!.from], [{ target: to, data: ascii("question") }, relay]);
    }
    // Of a relay with a name only the port is known.
    const stranger = { host: "203.0.113.1", port: relay.host === bound.host ? 5000 : 5001 };
    end.send(datagram(A, ascii("forged")), stranger);
    end.send(datagram(A, ascii("fragment")).with(2, 1), relay);
    end.send(datagram(B, ascii("answer")), relay);
    assertEquals(await packets.receive(), { data: ascii("answer"), from: B });
    const waiting = packets.receive();
    control.close();
    assertEquals(await waiting, null);
    assertEquals(await end.receive(), null);
  }
});

Deno.test("UDP that a server refuses, or says no address for, is refused", async () => {
  for (
    const [answer, words] of [
      [reply(7), "the server says: it does not know this command"],
      [reply(0, { host: "1.2.3.4", port: 0 }), "the server says no address to send datagrams to"],
    ] as const
  ) {
    const { outbound, dialled } = setUp();
    const failing = outbound.openPackets(childSession(A, "udp"), never).catch((error) => error);
    const { end } = await dialled.next();
    await end.write(concat(hex("0500"), answer));
    const error = await failing;
    assertEquals([error.code, error.message], [
      "refused",
      `cannot connect through proxy.example:1080: ${words}`,
    ]);
    await expectBytes(end, concat(hex("050100"), request(3, { host: "0.0.0.0", port: 0 })));
    assertEquals(await end.ready(), false);
  }
});
