/** The inbounds and outbounds that a V2Ray config has beside MTProto: dokodemo-door, socks, http, freedom. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { concat, equal, random, unhex } from "../telegram/bytes.ts";
import { freePort, Mtray } from "../telegram/mtray_process.ts";
import { connectSocket, type Socket, within } from "../telegram/socket.ts";
import { echoDatagrams } from "../v2ray/drivers.ts";
import { answerAfterEnd, DatagramEcho, echo, Server } from "../v2ray/servers.ts";

const NAMES = [
  "door",
  "socks",
  "closed",
  "http",
  "httpClosed",
  "overHttp",
  "overSocks",
  "udpOverSocks",
  "last",
] as const;
type Ports = Record<typeof NAMES[number], number>;

const accounts = [{ user: "me", pass: "pass" }];
const ascii = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? new Uint8Array());
const port16 = (port: number) => Uint8Array.of(port >> 8, port);

/** One mtray with every neighbour: all goes out directly, or through another of its own doors. */
async function start(echoPort: number): Promise<{ mtray: Mtray; ports: Ports }> {
  const ports = Object.fromEntries(NAMES.map((name) => [name, freePort()])) as Ports;
  const inbound = (tag: keyof Ports, protocol: string, settings: object) => ({
    tag,
    listen: "127.0.0.1",
    port: ports[tag],
    protocol,
    settings,
  });
  const door = { address: "127.0.0.1", port: echoPort };
  const mtray = await Mtray.start({
    log: { loglevel: "debug" },
    inbounds: [
      inbound("door", "dokodemo-door", { ...door, network: "tcp,udp" }),
      inbound("socks", "socks", { udp: true }),
      inbound("closed", "socks", { auth: "password", accounts, udp: true }),
      inbound("http", "http", {}),
      inbound("httpClosed", "http", { accounts }),
      inbound("overHttp", "socks", { udp: true }),
      inbound("overSocks", "http", {}),
      inbound("udpOverSocks", "tunnel", {
        rewriteAddress: "127.0.0.1",
        rewritePort: echoPort,
        allowedNetwork: ["tcp", "udp"],
      }),
      inbound("last", "dokodemo-door", door),
    ],
    outbounds: [
      { tag: "direct", protocol: "freedom" },
      {
        tag: "to-http",
        protocol: "http",
        settings: { servers: [{ address: "127.0.0.1", port: ports.httpClosed, users: accounts }] },
      },
      {
        tag: "to-socks",
        protocol: "socks",
        settings: { address: "127.0.0.1", port: ports.closed, ...accounts[0] },
      },
      { tag: "nowhere", protocol: "blackhole" },
    ],
    routing: {
      rules: [
        { inboundTag: ["overHttp"], outboundTag: "to-http" },
        { inboundTag: ["overSocks", "udpOverSocks"], outboundTag: "to-socks" },
        { ip: ["127.0.0.2"], outboundTag: "nowhere" },
        { domain: ["full:blocked.example"], outboundTag: "nowhere" },
      ],
    },
  }, ports.last);
  return { mtray, ports };
}

/** Sends a request and takes its answer, which must be this one. */
async function say(socket: Socket, said: Uint8Array, expected: Uint8Array): Promise<void> {
  await socket.write(said);
  const heard = await socket.readExactly(expected.length);
  assert(heard !== null && equal(heard, expected), `heard ${textOf(heard)}`);
}

const GRANTED = unhex("05 00 00 01 00 00 00 00 00 00");
const nameOf = (host: string, port: number) =>
  concat(Uint8Array.of(3, host.length), ascii(host), port16(port));

async function throughSocks5(port: number, target: number): Promise<Socket> {
  const socket = await connectSocket(port);
  await say(socket, unhex("05 01 00"), unhex("05 00"));
  await say(socket, concat(unhex("05 01 00"), nameOf("localhost", target)), GRANTED);
  return socket;
}

async function throughClosedSocks5(port: number, target: number): Promise<Socket> {
  const socket = await connectSocket(port);
  await say(socket, unhex("05 02 00 02"), unhex("05 02"));
  await say(socket, concat(unhex("01 02"), ascii("me"), unhex("04"), ascii("pass")), unhex("01 00"));
  await say(socket, concat(unhex("05 01 00 01 7f 00 00 01"), port16(target)), GRANTED);
  return socket;
}

async function throughSocks4(port: number, target: number, name = ""): Promise<Socket> {
  const socket = await connectSocket(port);
  const address = name === "" ? unhex("7f 00 00 01 00") : concat(unhex("00 00 00 01 00"), ascii(`${name}\0`));
  await say(socket, concat(unhex("04 01"), port16(target), address), unhex("00 5a 00 00 00 00 00 00"));
  return socket;
}

async function throughHttp(port: number, target: number, more = ""): Promise<Socket> {
  const socket = await connectSocket(port);
  const request = `CONNECT localhost:${target} HTTP/1.1\r\nHost: localhost:${target}\r\n${more}\r\n`;
  await say(socket, ascii(request), ascii("HTTP/1.1 200 Connection established\r\n\r\n"));
  return socket;
}

const BASIC = "Proxy-Authorization: Basic bWU6cGFzcw==\r\n";

/** Every way in, and through it a connection to a port. */
function waysTo(ports: Ports, target: number): Record<string, () => Promise<Socket>> {
  return {
    "socks 5": () => throughSocks5(ports.socks, target),
    "socks 5 with a password": () => throughClosedSocks5(ports.closed, target),
    "socks 4": () => throughSocks4(ports.socks, target),
    "socks 4a": () => throughSocks4(ports.socks, target, "localhost"),
    "http": () => throughHttp(ports.http, target),
    "http with a password": () => throughHttp(ports.httpClosed, target, BASIC),
    "socks over http": () => throughSocks5(ports.overHttp, target),
    "http over socks": () => throughHttp(ports.overSocks, target),
  };
}

async function readToEnd(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) parts.push(bytes);
  return concat(...parts);
}

Deno.test("TCP by every way: bytes pass both ways at once, and an end leaves the answer whole", async () => {
  const answered: Uint8Array[] = [];
  await using echoes = await Server.start(echo);
  await using answers = await Server.start(answerAfterEnd(300_000, (bytes) => answered.push(bytes)));
  const { mtray, ports } = await start(echoes.port);
  await using _ = mtray;
  const data = random(1_000_000);
  const ways: Record<string, () => Promise<Socket>> = {
    ...waysTo(ports, echoes.port),
    "dokodemo-door": () => connectSocket(ports.door),
    "tunnel over socks": () => connectSocket(ports.udpOverSocks),
  };
  for (const [name, connect] of Object.entries(ways)) {
    using socket = await connect();
    const [heard] = await Promise.all([socket.readExactly(data.length), socket.write(data)]);
    assert(heard !== null && equal(heard, data), name);
    await socket.closeWrite();
    assertEquals(await socket.read(), null, name);
  }
  for (const [name, connect] of Object.entries(waysTo(ports, answers.port))) {
    using socket = await connect();
    await socket.write(data.subarray(0, 1000));
    await socket.closeWrite();
    assertEquals((await readToEnd(socket)).length, 300_000, name);
    assert(equal(answered.at(-1)!, data.subarray(0, 1000)), name);
  }
});

Deno.test("plain HTTP requests, with and without a hop", async () => {
  const heads: string[] = [];
  await using server = await Server.start(async (socket) => {
    let text = "";
    while (!text.endsWith("0\r\n\r\n")) text += textOf(await socket.read());
    heads.push(text);
    await socket.write(ascii("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nanswer"));
    // It would stay; the client goes.
    await socket.read();
  });
  const { mtray, ports } = await start(server.port);
  await using _ = mtray;
  for (const [port, more] of [[ports.http, ""], [ports.httpClosed, BASIC], [ports.overSocks, ""]] as const) {
    using socket = await connectSocket(port);
    const body = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    await say(
      socket,
      ascii(
        `POST http://${server.address}/path?q HTTP/1.1\r\nHost: x\r\n${more}Proxy-Connection: keep-alive\r\n${body}`,
      ),
      ascii("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer"),
    );
    assertEquals(
      heads.pop(),
      `POST /path?q HTTP/1.1\r\nHost: ${server.address}\r\n${
        body.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
      }`,
    );
  }
});

Deno.test("who has no password is sent away in the protocol's words", async () => {
  await using echoes = await Server.start(echo);
  const { mtray, ports } = await start(echoes.port);
  await using _ = mtray;
  const cases: [number, Uint8Array[], Uint8Array][] = [
    [ports.closed, [unhex("05 01 00")], unhex("05 ff")],
    [
      ports.closed,
      [unhex("05 01 02"), concat(unhex("01 02"), ascii("me"), unhex("00"))],
      unhex("05 02 01 01"),
    ],
    [
      ports.closed,
      [concat(unhex("04 01"), port16(echoes.port), unhex("7f 00 00 01 00"))],
      unhex("00 5b 00 00 00 00 00 00"),
    ],
  ];
  for (const [port, said, expected] of cases) {
    using socket = await connectSocket(port);
    for (const each of said) await socket.write(each);
    assertEquals(await readToEnd(socket), expected);
  }
  for (const request of [`CONNECT ${echoes.address} HTTP/1.1`, `GET http://${echoes.address}/ HTTP/1.1`]) {
    for (const more of ["", "Proxy-Authorization: Basic bWU6bm8=\r\n"]) {
      using socket = await connectSocket(ports.httpClosed);
      await socket.write(ascii(`${request}\r\n${more}\r\n`));
      const heard = textOf(await readToEnd(socket));
      assert(heard.startsWith("HTTP/1.1 407 ") && heard.includes("Proxy-Authenticate: Basic "), heard);
    }
  }
  assertEquals(echoes.accepted, 0);
});

Deno.test("a target that cannot be reached, or must not, is told as that by every hop", async () => {
  await using echoes = await Server.start(echo);
  const { mtray, ports } = await start(echoes.port);
  await using _ = mtray;
  const closed = freePort();
  const socks: [number, Uint8Array, string][] = [
    [ports.socks, concat(unhex("01 7f 00 00 01"), port16(closed)), "04"],
    [ports.socks, concat(unhex("01 7f 00 00 02"), port16(echoes.port)), "02"],
    [ports.socks, nameOf("blocked.example", 80), "02"],
    // The next hop's own protocol says no.
    [ports.overHttp, concat(unhex("01 7f 00 00 02"), port16(echoes.port)), "05"],
    [ports.overHttp, concat(unhex("01 7f 00 00 01"), port16(closed)), "05"],
  ];
  for (const [port, target, code] of socks) {
    using socket = await connectSocket(port);
    await say(socket, unhex("05 01 00"), unhex("05 00"));
    await socket.write(concat(unhex("05 01 00"), target));
    assertEquals(await readToEnd(socket), unhex(`05 ${code} 00 01 00 00 00 00 00 00`));
  }
  for (
    const [port, authority, status] of [
      [ports.http, `127.0.0.1:${closed}`, 502],
      [ports.http, `127.0.0.2:${echoes.port}`, 403],
      [ports.http, "blocked.example:80", 403],
      [ports.overSocks, `127.0.0.2:${echoes.port}`, 502],
    ] as const
  ) {
    for (const request of [`CONNECT ${authority}`, `GET http://${authority}/`]) {
      using socket = await connectSocket(port);
      await socket.write(ascii(`${request} HTTP/1.1\r\n\r\n`));
      const heard = textOf(await readToEnd(socket));
      assert(heard.startsWith(`HTTP/1.1 ${status} `), heard);
    }
  }
  assertEquals(echoes.accepted, 0);
  const { stdout, stderr } = await mtray.stop();
  const log = stdout + stderr;
  assert(log.includes("the server says: not allowed by its rules"), log);
  assert(log.includes("the server says: 403 Forbidden"), log);
  assert(!log.includes("pass\b"), log);
});

Deno.test("sniffing: the names in first bytes meet the rules, and take the place of addresses", async () => {
  const heard: string[] = [];
  await using server = await Server.start(async (socket) => {
    heard.push(textOf(await socket.read()));
    await socket.write(ascii("welcome"));
    await socket.closeWrite();
  });
  const [socks, door] = [freePort(), freePort()];
  const sniffing = { enabled: true, destOverride: ["http", "tls"] };
  const rule = (more: object) => ({ outboundTag: "nowhere", ...more });
  await using _mtray = await Mtray.start({
    inbounds: [
      {
        tag: "door",
        listen: "127.0.0.1",
        port: door,
        protocol: "dokodemo-door",
        settings: { address: "127.0.0.1", port: server.port },
        sniffing: { ...sniffing, routeOnly: true },
      },
      { tag: "socks", listen: "127.0.0.1", port: socks, protocol: "socks", sniffing },
    ],
    outbounds: [{ tag: "direct", protocol: "freedom" }, { tag: "nowhere", protocol: "blackhole" }],
    routing: {
      rules: [
        rule({ inboundTag: ["door"], domain: ["full:blocked.example"] }),
        rule({ inboundTag: ["socks"], protocol: ["tls"] }),
      ],
    },
  }, socks);
  const get = (host: string) => ascii(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  for (const [host, answer] of [["blocked.example", ""], ["other.example", "welcome"]]) {
    using socket = await connectSocket(door);
    await socket.write(get(host));
    assertEquals(textOf(await readToEnd(socket)), answer);
  }
  // The address is nobody's; the name is this machine.
  const aside = concat(unhex("01 7f 00 00 03"), Uint8Array.of(0, 1));
  for (
    const [said, target, answer] of [
      [get("localhost"), concat(unhex("01 c0 00 02 01"), port16(server.port)), "welcome"],
      [unhex("16 03 01 00 2e 01 00 00 2a 03 03" + "00".repeat(32) + "00 00 02 13 01 01 00 00 00"), aside, ""],
      [new Uint8Array(), concat(unhex("01 7f 00 00 01"), port16(server.port)), "nobody speaks first"],
    ] as const
  ) {
    using socket = await connectSocket(socks);
    await say(socket, unhex("05 01 00"), unhex("05 00"));
    await say(socket, concat(unhex("05 01 00"), target), GRANTED);
    if (said.length > 0) await socket.write(said);
    else {
      // It is connected although it says nothing, and what it says later arrives.
      for (let tries = 0; server.accepted < 3 && tries < 2000; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assertEquals(server.accepted, 3);
      await socket.write(ascii("late"));
    }
    assertEquals(textOf(await readToEnd(socket)), answer.replace("nobody speaks first", "welcome"));
  }
  assertEquals(heard, [textOf(get("other.example")), textOf(get("localhost")), "late"]);
});

/** A client of SOCKS 5 that sends datagrams. */
class SocksDatagrams {
  readonly #heard: Uint8Array[] = [];
  #wake: (() => void) | null = null;

  private constructor(readonly control: Socket, readonly socket: DatagramSocket, readonly port: number) {
    socket.on("message", (data) => {
      this.#heard.push(new Uint8Array(data));
      this.#wake?.();
    });
  }

  static async start(port: number): Promise<SocksDatagrams> {
    const control = await connectSocket(port);
    await say(control, unhex("05 01 00"), unhex("05 00"));
    await say(control, unhex("05 03 00 01 00 00 00 00 00 00"), unhex("05 00 00 01 7f 00 00 01"));
    const [high, low] = (await control.readExactly(2))!;
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new SocksDatagrams(control, socket, high << 8 | low);
  }

  /** Awaits that it is sent: Deno changes the order of what is sent at the same time. */
  async send(address: Uint8Array, data: Uint8Array, fragment = 0): Promise<void> {
    const wire = concat(Uint8Array.of(0, 0, fragment), address, data);
    await new Promise<void>((resolve, reject) =>
      this.socket.send(wire, this.port, "127.0.0.1", (error) => error ? reject(error) : resolve())
    );
  }

  async receive(): Promise<Uint8Array> {
    const wait = async () => {
      while (this.#heard.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
      return this.#heard.shift()!;
    };
    return await within(10_000, "receive a datagram", wait());
  }

  async close(): Promise<void> {
    this.control.close();
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

Deno.test("UDP through dokodemo-door, directly and over socks", async () => {
  await using datagrams = await DatagramEcho.start(0);
  const { mtray, ports } = await start(datagrams.port);
  await using _ = mtray;
  await echoDatagrams(ports.door, { count: 2000 });
  await echoDatagrams(ports.udpOverSocks, { count: 2000 });
});

Deno.test("UDP through socks: any target, rules for each of them, an end with the control connection", async () => {
  await using one = await DatagramEcho.start(0);
  await using two = await DatagramEcho.start(0);
  const { mtray, ports } = await start(one.port);
  await using _ = mtray;
  const client = await SocksDatagrams.start(ports.socks);
  const at = (port: number, last = 1) => concat(Uint8Array.of(1, 127, 0, 0, last), port16(port));
  for (let i = 0; i < 200; i++) {
    const port = i % 2 === 0 ? one.port : two.port;
    const data = random(1 + i * 7);
    // What must not pass goes first, so that an answer to it would be seen.
    await client.send(at(port, 2), ascii("blocked"));
    await client.send(at(port), ascii("fragment"), 1);
    await client.send(i % 3 === 0 ? nameOf("localhost", port) : at(port), data);
    assertEquals(await client.receive(), concat(new Uint8Array(3), at(port), data));
  }
  await client.close();
  // An outbound without UDP refuses it by name, and the client lives on.
  const refused = await SocksDatagrams.start(ports.overHttp);
  await refused.send(at(one.port), ascii("question"));
  const stranger = await SocksDatagrams.start(ports.socks);
  await stranger.send(at(one.port), ascii("alive"));
  assertEquals(await stranger.receive(), concat(new Uint8Array(3), at(one.port), ascii("alive")));
  await stranger.close();
  await refused.close();
  const { stdout, stderr } = await mtray.stop();
  const log = stdout + stderr;
  assertEquals(log.split("blocked by the outbound nowhere").length - 1, 2, log);
  assert(log.includes("cannot send datagrams: outbound to-http (http) carries streams only"), log);
});
