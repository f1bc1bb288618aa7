// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { cryptoProvider } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { codeOf, MtrayError } from "../../../lib/errors.ts";
import { Events } from "../../../lib/observe/events.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { serveMux } from "../../../lib/proxy/vmess/mux/server.ts";
import { VmessOutbound } from "../../../lib/proxy/vmess/outbound.ts";
import { RequestOpener } from "../../../lib/proxy/vmess/request.ts";
import { serverPackets, serverStream } from "../../../lib/proxy/vmess/server_stream.ts";
import type { OutboundUser, Server } from "../../../lib/proxy/vmess/settings.ts";
import { noMux, type OutboundContext } from "../../../lib/proxy/types.ts";
import { childSession } from "../../../lib/session.ts";
import { FirstBytes } from "../../../lib/stream/first_bytes.ts";
import type { ByteStream, Target } from "../../../lib/stream/types.ts";
import { pattern, readAll, readSome } from "../../contract/streams.ts";
import { ascii, never, outboundWorld } from "../fakes.ts";

const crypto = cryptoProvider();
const target = { host: "example.com", port: 443 };
const address = { host: "192.0.2.1", port: 10086 };
const NAME = "the secret id";

const user = (about: Partial<OutboundUser> = {}, name = NAME): OutboundUser => ({
  id: parseId(name),
  security: "aes-128-gcm",
  authenticatedLength: false,
  noTerminationSignal: false,
  ...about,
});

function world(servers: Server[] = [{ address, users: [user()] }], given: Partial<OutboundContext> = {}) {
  const events = new Events(), notes: string[] = [];
  events.listen((event) => event.kind === "note" && notes.push(`${event.level}: ${event.text}`));
  const surroundings = outboundWorld({ events, ...given });
  return { ...surroundings, notes, outbound: new VmessOutbound(surroundings.context, { servers }) };
}

/** The server's side of what an outbound dialled. */
async function accept(stream: ByteStream, names = [NAME]) {
  const first = new FirstBytes(stream);
  while (first.bytes.length < 16) assert(await first.more(performance.now() + 5000) === true);
  const name = names.find((name) =>
    new Account(parseId(name)).authIds.open(first.bytes.subarray(0, 16)) !== null
  );
  assert(name !== undefined);
  const account = new Account(parseId(name)), opener = new RequestOpener(account, crypto);
  const seconds = account.authIds.open(first.bytes.subarray(0, 16));
  for (;;) {
    const opening = opener.open(first.bytes);
    assert(opening.kind !== "wrong");
    if (opening.kind === "header") {
      return { name, seconds, header: opening.header, rest: first.after(opening.used), stream };
    }
    assert(await first.more(performance.now() + 5000) === true);
  }
}

const means = { crypto, random: randomBytes };
const inside = ({ stream, header, rest }: Awaited<ReturnType<typeof accept>>) =>
  serverStream(stream, header, rest, means);

Deno.test("a session goes to its target through the server, in a connection of its own", async () => {
  const { outbound, dialled } = world();
  const { stream, adopted, via } = await outbound.connect(childSession(target), never);
  assertEquals([adopted, via], [false, ["hop", "out"]]);
  const { target: dialledTo, end } = await dialled.next();
  assertEquals(dialledTo, address);
  await stream.write(pattern(1000));
  const request = await accept(end);
  const { header, seconds } = request;
  assertEquals([header.command, header.target, header.security, header.options], [
    "tcp",
    target,
    "aes-128-gcm",
    0x0d,
  ]);
  assert(Math.abs(seconds! - Date.now() / 1000) < 5);
  const server = inside(request);
  assertEquals(await readSome(server, 1000), pattern(1000));
  await server.write(pattern(2000));
  await server.closeWrite();
  assertEquals(await readAll(stream), pattern(2000));
  stream.close();
  server.close();
});

Deno.test("every security and both experiments", async () => {
  const cases: [Partial<OutboundUser>, string, number][] = [
    [{ security: "none" }, "none", 0x05],
    [{ security: "zero" }, "none", 0],
    [{ security: "chacha20-poly1305", authenticatedLength: true }, "chacha20-poly1305", 0x1d],
    [{ noTerminationSignal: true }, "aes-128-gcm", 0x0d],
  ];
  for (const [about, security, options] of cases) {
    const { outbound, dialled } = world([{ address, users: [user(about)] }]);
    const { stream } = await outbound.connect(childSession(target), never);
    await stream.write(ascii("x"));
    const request = await accept((await dialled.next()).end);
    assertEquals([request.header.security, request.header.options], [security, options]);
    assertEquals(stream.halfCloses, about.noTerminationSignal !== true);
    const server = inside(request);
    assertEquals(await readSome(server, 1), ascii("x"));
    stream.close();
    server.close();
  }
});

Deno.test("no two requests have the same keys", async () => {
  const { outbound, dialled } = world();
  const seen = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const { stream } = await outbound.connect(childSession(target), never);
    await stream.write(ascii("x"));
    const { header } = await accept((await dialled.next()).end);
    seen.add(String(header.key)).add(String(header.iv));
    stream.close();
  }
  assertEquals(seen.size, 10);
});

Deno.test("whether it encrypts", () => {
  const encrypts = (securities: OutboundUser["security"][], below = false) =>
    world([{ address, users: securities.map((security) => user({ security })) }], { encrypts: below })
      .outbound.encrypts;
  assertEquals([encrypts(["auto"]), encrypts(["aes-128-gcm", "chacha20-poly1305"])], [true, true]);
  assertEquals([encrypts(["none"]), encrypts(["zero"]), encrypts(["auto", "none"])], [false, false, false]);
  assertEquals(encrypts(["zero"], true), true);
});

Deno.test("servers take turns, and so do their users", async () => {
  const servers: Server[] = [1, 2].map((i) => ({
    address: { host: `192.0.2.${i}`, port: i },
    users: [user({}, `${i}a`), user({}, `${i}b`)],
  }));
  const names = ["1a", "1b", "2a", "2b"];
  const { outbound, dialled } = world(servers);
  const seen: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { stream } = await outbound.connect(childSession(target), never);
    await stream.write(ascii("x"));
    const { target: at, end } = await dialled.next();
    const { name } = await accept(end, names);
    assert(name.startsWith(String(at.port)));
    seen.push(name);
    stream.close();
  }
  assertEquals(seen, ["1a", "2a", "1b", "2b", "1a"]);
});

Deno.test("a server that takes no connection is passed over; when none does it says so", async () => {
  const dialled: Target[] = [];
  let answers = true;
  const servers = [1, 2].map((i) => ({ address: { host: `192.0.2.${i}`, port: i }, users: [user()] }));
  const { outbound, context } = world();
  const dial: OutboundContext["dial"] = (to, options, signal) => {
    dialled.push(to);
    if (answers && to.port === 2) return context.dial(to, options, signal);
    return Promise.reject(new MtrayError("unreachable", `${to.host} is gone`));
  };
  outbound.close();
  const both = world(servers, { dial }).outbound;
  (await both.connect(childSession(target), never)).stream.close();
  assertEquals(dialled.map(({ port }) => port), [1, 2]);
  answers = false;
  const error = await assertRejects(
    () => both.connect(childSession(target), never),
    MtrayError,
  ) as MtrayError;
  assertEquals([error.code, error.message], [
    "unreachable",
    "cannot connect to any server: 192.0.2.2 is gone; 192.0.2.1 is gone",
  ]);
  const one = world(servers.slice(0, 1), { dial }).outbound;
  const alone = await assertRejects(() => one.connect(childSession(target), never), MtrayError) as MtrayError;
  assertEquals(alone.message, "192.0.2.1 is gone");
});

Deno.test("a server that failed lately comes last, whoever's turn it is", async () => {
  const dialled: number[] = [];
  const servers = [1, 2].map((i) => ({ address: { host: `192.0.2.${i}`, port: i }, users: [user()] }));
  const { context } = world();
  const dial: OutboundContext["dial"] = (to, options, signal) => {
    dialled.push(to.port);
    return to.port === 2
      ? context.dial(to, options, signal)
      : Promise.reject(new MtrayError("unreachable", "gone"));
  };
  const { outbound } = world(servers, { dial });
  for (let i = 0; i < 3; i++) (await outbound.connect(childSession(target), never)).stream.close();
  assertEquals(dialled, [1, 2, 2, 2]);
});

Deno.test("when the time is over, the error still says which hop it was", async () => {
  const dial: OutboundContext["dial"] = (_target, _options, signal) =>
    new Promise((_, reject) =>
      signal.addEventListener(
        "abort",
        () => reject(new MtrayError("unreachable", "cannot go through hop: silence")),
      )
    );
  const { outbound } = world(undefined, { dial });
  const ending = new AbortController();
  const connecting = outbound.connect(childSession(target), ending.signal);
  ending.abort(new MtrayError("timed-out", "no answer within 30 s"));
  const error = await assertRejects(() => connecting, MtrayError) as MtrayError;
  assertEquals(error.message, "cannot go through hop: silence");
});

Deno.test("a name that VMess has no room for fails, and leaves no connection behind", async () => {
  const { outbound, dialled } = world();
  const long = { host: "a".repeat(256), port: 1 };
  await assertRejects(() => outbound.connect(childSession(long), never), MtrayError, "1 to 255 bytes");
  const code = await (await dialled.next()).end.ready().then(() => "open", codeOf);
  assertEquals(code, "reset");
});

Deno.test("datagrams: a connection for each destination", async () => {
  const { outbound, dialled } = world();
  const { packets, via } = await outbound.openPackets(childSession(target, "udp"), never);
  assertEquals(via, ["hop", "out"]);
  const other = { host: "192.0.2.53", port: 53 };
  for (const to of [target, other]) {
    packets.send(pattern(40, to.port), to);
    const { stream, header, rest } = await accept((await dialled.next()).end);
    assertEquals([header.command, header.target], ["udp", to]);
    const server = serverPackets(stream, header, rest, means);
    assertEquals((await server.receive())?.data, pattern(40, to.port));
    server.send(pattern(50, to.port), to);
    assertEquals(await packets.receive(), { data: pattern(50, to.port), from: to });
  }
  packets.close();
});

Deno.test("with mux sessions share a connection, and one that must be alone does not", async () => {
  const { outbound, dialled } = world(undefined, { mux: { ...noMux, enabled: true } });
  const connecting = [1, 2].map((port) => outbound.connect(childSession({ host: "a.example", port }), never));
  const streams = (await Promise.all(connecting)).map(({ stream }) => stream);
  for (const stream of streams) await stream.write(ascii("x"));
  const carrier = await dialled.next();
  assertEquals(carrier.options.alone, true);
  const request = await accept(carrier.end);
  assertEquals([request.header.command, request.header.target], ["mux", undefined]);
  const ports: number[] = [];
  const both = Promise.withResolvers<void>();
  const serving = serveMux(inside(request), {
    async stream({ port }, stream) {
      ports.push(port);
      if (ports.length === 2) both.resolve();
      assertEquals(await readSome(stream, 1), ascii("x"));
    },
    packets: () => Promise.resolve(),
  });
  await both.promise;
  assertEquals([ports.sort(), dialled.all.length], [[1, 2], 1]);
  const alone = await outbound.connect(childSession(target, "tcp", true), never);
  await alone.stream.write(ascii("x"));
  const own = await dialled.next();
  assertEquals([own.options.alone, (await accept(own.end)).header.command], [true, "tcp"]);
  outbound.close();
  await serving.catch(() => {});
});

Deno.test("a server that never answers: a warning once a minute, with reasons and without the id", async () => {
  let now = 0;
  const clock = { now: () => now, wall: () => Date.now() };
  const { outbound, dialled, notes } = world(undefined, { clock });
  const refused = async () => {
    const { stream } = await outbound.connect(childSession(target), never);
    await stream.write(ascii("x"));
    const { end } = await dialled.next();
    await end.closeWrite();
    const error = await assertRejects(() => stream.ready(), MtrayError) as MtrayError;
    stream.close();
    end.close();
    return error;
  };
  const error = await refused();
  assertEquals(error.code, "refused");
  assertEquals(
    error.message,
    "192.0.2.1:10086 ended the connection without an answer: check the id, that the server's alterId is 0, " +
      "and this box's clock; or hop cannot reach it",
  );
  now += 59_999;
  await refused();
  assertEquals(notes.length, 1);
  now += 1;
  await refused();
  assertEquals(notes.length, 2);
  const [note] = notes;
  assert(note.startsWith("warning: out: 192.0.2.1:10086 ends connections without an answer"));
  for (const word of ["id", "alterId", "clock"]) assert(note.includes(word));
  assert(!note.includes(NAME) && !note.includes(String(parseId(NAME))));
});

Deno.test("a server that answers others could not connect, and nobody is asked to compare ids", async () => {
  const { outbound, dialled, notes } = world();
  const good = await outbound.connect(childSession(target), never);
  await good.stream.write(ascii("x"));
  const server = inside(await accept((await dialled.next()).end));
  await server.write(ascii("y"));
  assertEquals(await readSome(good.stream, 1), ascii("y"));
  const bad = await outbound.connect(childSession(target), never);
  await bad.stream.write(ascii("x"));
  await (await dialled.next()).end.closeWrite();
  await assertRejects(() => bad.stream.ready(), MtrayError, "cannot reach the target");
  assertEquals(notes, []);
  good.stream.close();
  bad.stream.close();
});

Deno.test("when this box's clock was never set, that is said and nothing else", async () => {
  let asked = 0;
  const warnings = { beforeRelease: () => ++asked > 0, differs: () => {} };
  const { outbound, dialled, notes } = world(undefined, { warnings });
  const { stream } = await outbound.connect(childSession(target), never);
  await stream.write(ascii("x"));
  await (await dialled.next()).end.closeWrite();
  await assertRejects(() => stream.ready(), MtrayError, "without an answer");
  assertEquals([asked, notes], [1, []]);
  stream.close();
});
