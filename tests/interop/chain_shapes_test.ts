/** Chains in their shapes: what the hops see on the wire, in which order they are passed, and what is said when one fails. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runMtray } from "../telegram/mtray_process.ts";
import { connectSocket } from "../telegram/socket.ts";
import { config, door, freedom, type Json, rule, type Transport, USER } from "../v2ray/config.ts";
import { vmessInbound, vmessOutbound } from "../v2ray/config.ts";
import { echoBytes } from "../v2ray/drivers.ts";
import { Ports } from "../v2ray/ports.ts";
import { FULL, needsV2ray, type ProgramName, withPrograms } from "../v2ray/process.ts";
import { echo, type Serve, Server } from "../v2ray/servers.ts";
import { Tap } from "../v2ray/tap.ts";

/** The first bytes of a TLS connection are a handshake record's. */
const TLS = "\x16\x03\x01";
const HTTP = "GET /mtray HTTP/1.1\r\n";

type Hop = "freedom" | "vmess" | "socks" | "http";

interface Shape {
  name: string;
  outer: Transport;
  inner: Hop;
  /** How the outer names the hop below it. */
  how: "proxySettings" | "transportLayer" | "dialerProxy";
  /** What the inner hop carries first. */
  first: string;
}

/** V2Ray 4.34 can do these, too. */
const OLD: readonly Shape[] = (["freedom", "vmess", "socks", "http"] as const).map((inner) => ({
  name: `TLS over ${inner}`,
  outer: "tls",
  inner,
  how: "proxySettings",
  first: TLS,
}));

const NEW: readonly Shape[] = [
  {
    name: "ws over vmess with transportLayer",
    outer: "ws",
    inner: "vmess",
    how: "transportLayer",
    first: HTTP,
  },
  {
    name: "ws and TLS over socks with transportLayer",
    outer: "ws+tls",
    inner: "socks",
    how: "transportLayer",
    first: TLS,
  },
  {
    name: "TLS over http with transportLayer",
    outer: "tls",
    inner: "http",
    how: "transportLayer",
    first: TLS,
  },
  { name: "ws over vmess with dialerProxy", outer: "ws", inner: "vmess", how: "dialerProxy", first: HTTP },
];

/** Ports of the hops' servers. */
type Ways = Readonly<Record<"tcp" | "socks" | "http", number>>;

/** The peers of every hop: each transport of VMess, socks and http, one port each. */
async function peers(ports: Ports, start: Parameters<Parameters<typeof withPrograms>[0]>[0]) {
  const at = { tcp: ports.take(), tls: ports.take(), ws: ports.take(), "ws+tls": ports.take() };
  const other = { socks: ports.take(), http: ports.take() };
  const inbounds = [
    ...Object.entries(at).map(([transport, port]) =>
      vmessInbound(`vmess-${transport}`, port, transport as Transport)
    ),
    ...Object.entries(other).map(([protocol, port]) => ({
      tag: protocol,
      listen: "127.0.0.1",
      port,
      protocol,
    })),
  ];
  const all = { ...at, ...other };
  return { at: all, program: await start("v2ray", config(inbounds, [freedom]), { tcp: Object.values(all) }) };
}

/** An outbound of that kind, whose own server is V2Ray's. */
function hop(tag: string, kind: Hop, at: Ways): Json {
  if (kind === "freedom") return { tag, protocol: "freedom" };
  if (kind === "vmess") return vmessOutbound(tag, at.tcp);
  return { tag, protocol: kind, settings: { servers: [{ address: "127.0.0.1", port: at[kind] }] } };
}

const CLIENTS: [ProgramName, readonly Shape[]][] = [
  ["mtray", [...OLD, ...NEW]],
  ...(FULL ? [["v2ray", OLD] as [ProgramName, readonly Shape[]]] : []),
];

for (const [client, shapes] of CLIENTS) {
  Deno.test({
    name: `${client} puts the outer hop's transport over the inner hop`,
    ...needsV2ray,
    async fn(test) {
      using ports = new Ports();
      await using target = await Server.start(echo);
      await using stack = new AsyncDisposableStack();
      await withPrograms(async (start) => {
        const { at } = await peers(ports, start);
        const taps = await Promise.all(shapes.map(({ outer }) => Tap.start(at[outer])));
        for (const tap of taps) stack.use(tap);
        const doors = shapes.map(() => ports.take());
        const clientConfig = config(
          doors.map((port, i) => door(`door-${i}`, port, target.port)),
          shapes.flatMap((shape, i) => chainOf(shape, i, taps[i].port, at)),
          { routing: { rules: shapes.map((_, i) => rule(`door-${i}`, `outer-${i}`)) } },
        );
        await start(client, clientConfig, { tcp: doors });
        for (const [i, { name, first }] of shapes.entries()) {
          await test.step(name, async () => {
            await echoBytes(doors[i], 100_000);
            assertEquals(taps[i].passages.length, 1);
            assertEquals(String.fromCharCode(...taps[i].passages[0].up.subarray(0, first.length)), first);
          });
        }
      });
    },
  });
}

/** The two outbounds of a shape. */
function chainOf({ outer, inner, how }: Shape, index: number, port: number, at: Ways): Json[] {
  const tag = `inner-${index}`;
  const proxySettings = { tag, ...(how === "transportLayer" ? { transportLayer: true } : {}) };
  const more = how === "dialerProxy" ? {} : { proxySettings };
  const outbound = vmessOutbound(`outer-${index}`, port, { transport: outer, more });
  const sockopt = how === "dialerProxy" ? { sockopt: { dialerProxy: tag } } : {};
  return [
    { ...outbound, streamSettings: { ...outbound.streamSettings as Json, ...sockopt } },
    hop(tag, inner, at),
  ];
}

for (const client of FULL ? ["mtray", "v2ray"] as const : ["mtray"] as const) {
  Deno.test({
    name: `${client} passes a chain of three hops from the first to the last`,
    ...needsV2ray,
    async fn() {
      using ports = new Ports();
      await using target = await Server.start(echo);
      await withPrograms(async (start) => {
        const { at, program: server } = await peers(ports, start);
        // Two hops go to the same server; the taps give it an address for each.
        await using last = await Tap.start(at.tcp);
        const front = ports.take();
        const outbounds = [
          vmessOutbound("last", last.port, { more: { proxySettings: { tag: "middle" } } }),
          vmessOutbound("middle", at.tls, { transport: "tls", more: { proxySettings: { tag: "first" } } }),
          hop("first", "socks", at),
        ];
        const program = await start(client, config([door("door", front, target.port)], outbounds), {
          tcp: [front],
        });
        await echoBytes(front, 1_000_000);
        const asked = [...server.log.matchAll(/ accepted (?:tcp:)?127\.0\.0\.1:(\d+) /g)].map(([, port]) =>
          Number(port)
        );
        assertEquals(asked, [at.tls, last.port, target.port], "which targets the three hops were asked for");
        if (client === "mtray") {
          const { code, stdout } = await runMtray(["test", "-c", program.configFile]);
          assertEquals(code, 0);
          assertMatch(stdout, /first → middle( \(TLS\))? → last/);
        }
      });
    },
  });
}

/** Reads some, answers that, and ends. */
function answer(...turns: readonly Uint8Array[]): Serve {
  return async (socket) => {
    for (const turn of turns) {
      await socket.read();
      await socket.write(turn);
    }
    await socket.closeWrite();
    while (await socket.read() !== null);
  };
}

const text = (value: string) => new TextEncoder().encode(value);

/** A hop's server that says no, in the words of its protocol, and what the log must say about it. */
const REFUSALS: [Hop, Serve, RegExp][] = [
  ["http", answer(text("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")), /403/],
  ["socks", answer(Uint8Array.of(5, 0), Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)), /refused/i],
  ["socks", answer(Uint8Array.of(5, 0xff)), /method|password|authentication/i],
];

Deno.test("a hop that fails is named with its reason, and the client's connection ends", async (test) => {
  for (const [kind, serve, reason] of REFUSALS) {
    await test.step(`${kind}: ${reason}`, async () => {
      await using server = await Server.start(serve);
      await fails(hop("the-inner", kind, { tcp: 0, socks: server.port, http: server.port }), reason);
    });
  }
  await test.step("nobody listens at the hop's server", async () => {
    using ports = new Ports();
    await fails(vmessOutbound("the-inner", ports.take()), /refused/i);
  });
  await test.step("the hop is blackhole", async () => {
    await fails({ tag: "the-inner", protocol: "blackhole" }, /block/i);
  });
});

/** Runs a chain of three in which the first hop fails, and looks for the line that says so. */
async function fails(inner: Json, reason: RegExp): Promise<void> {
  using ports = new Ports();
  await withPrograms(async (start) => {
    const front = ports.take();
    const outbounds = [
      vmessOutbound("the-outer", ports.take(), { more: { proxySettings: { tag: "the-middle" } } }),
      { tag: "the-middle", protocol: "freedom", proxySettings: { tag: "the-inner" } },
      inner,
    ];
    const program = await start("mtray", config([door("door", front, ports.take())], outbounds), {
      tcp: [front],
    });
    using client = await connectSocket(front);
    await client.write(text("hello"));
    const end = await client.read().catch(() => null);
    assertEquals(end, null);
    const line = await program.said("the-inner");
    assertMatch(line, reason);
    assert(!line.includes(USER), "an id is in the log");
  });
}
