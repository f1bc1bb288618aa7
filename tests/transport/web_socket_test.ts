// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat, toHex } from "../../lib/stream/bytes.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import { parseHead } from "../../lib/transport/http_head.ts";
import { openWebSocket } from "../../lib/transport/websocket/client.ts";
import { decodeEarlyData, encodeEarlyData } from "../../lib/transport/websocket/early_data.ts";
import { applyMask, frameHead } from "../../lib/transport/websocket/frames.ts";
import { acceptOf, clientRequest, hostOf, judgeRequest } from "../../lib/transport/websocket/handshake.ts";
import { acceptWebSocket } from "../../lib/transport/websocket/server.ts";
import { WebSocketStream } from "../../lib/transport/websocket/stream.ts";
import { hex } from "../support.ts";
import { bytesOf, errorOf, never, readRequest, readSome, TARGET, textOf, webSocketLike } from "./streams.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const none = new Uint8Array();

/** A frame as a client sends it. */
function masked(opcode: number, payload: Uint8Array): Uint8Array {
  const key = hex("01020304");
  const bytes = payload.slice();
  applyMask(bytes, key, 0);
  return concat(frameHead(opcode, bytes.length, key), bytes);
}

Deno.test("the accept value of RFC 6455, section 1.3", () => {
  assertEquals(acceptOf(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

Deno.test("a request names the host that the config or the dial does, with a port where it is not the usual", () => {
  assertEquals(hostOf({ host: "a.example", port: 443 }, true), "a.example");
  assertEquals(hostOf({ host: "a.example", port: 443 }, false), "a.example:443");
  assertEquals(hostOf({ host: "a.example", port: 80 }, false), "a.example");
  assertEquals(hostOf({ host: "2001:db8::1", port: 8080 }, false), "[2001:db8::1]:8080");
  const settings = webSocketLike({ path: "/a?b=c", headers: { "X-A": "1" } });
  const ask = (fields: object) =>
    textOf(clientRequest({ ...settings, ...fields }, { host: "dialled", key: KEY, early: none })).split(
      "\r\n",
    );
  assertEquals(ask({}), [
    "GET /a?b=c HTTP/1.1",
    "Host: dialled",
    // In the order of Go's client, and so of V2Ray.
    "User-Agent: Go-http-client/1.1",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${KEY}`,
    "Sec-WebSocket-Version: 13",
    "Upgrade: websocket",
    "X-A: 1",
    "",
    "",
  ]);
  assertEquals(ask({ host: "front.example" })[1], "Host: front.example");
  assertEquals(ask({ headers: { "user-agent": "Mine/1" } })[2], "User-Agent: Mine/1");
});

Deno.test("early data stands behind the path, or in the header that the config names", () => {
  const early = hex("fbff00");
  assertEquals(encodeEarlyData(early), "-_8A");
  assertEquals([encodeEarlyData(hex("ff")), encodeEarlyData(none)], ["_w", ""]);
  const ask = (fields: object) =>
    textOf(clientRequest(webSocketLike(fields), { host: "h", key: KEY, early }));
  assertMatch(ask({ maxEarlyData: 10 }), /^GET \/ws-_8A HTTP/);
  const named = ask({ maxEarlyData: 10, earlyDataHeaderName: "Sec-WebSocket-Protocol" });
  assertMatch(named, /^GET \/ws HTTP/);
  assertMatch(named, /\r\nSec-WebSocket-Protocol: -_8A\r\n/);
});

Deno.test("any early data comes out as it went in", () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 37 + length);
    assertEquals(decodeEarlyData(encodeEarlyData(bytes)), bytes);
  }
  for (const wrong of ["a", "ab!c", "ab c", "ä"]) assertEquals(decodeEarlyData(wrong), null);
});

Deno.test("a server takes what is meant for it, and says 404 or 400 to the rest", () => {
  const request = (line: string, fields: Record<string, string | null> = {}) => {
    const headers: Record<string, string | null> = {
      "Host": "any",
      "Upgrade": "WebSocket",
      "Connection": "keep-alive, Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": KEY,
      ...fields,
    };
    const lines = Object.entries(headers).filter(([, value]) => value !== null).map(([k, v]) =>
      `${k}: ${v}\r\n`
    );
    return parseHead(bytesOf(`${line}\r\n${lines.join("")}\r\n`));
  };
  const judge = (head: ReturnType<typeof request>, fields = {}) => judgeRequest(head, webSocketLike(fields));
  const early = (head: ReturnType<typeof request>, fields = {}) => {
    const asked = judge(head, fields);
    return typeof asked === "string" ? asked : textOf(asked.early);
  };
  const data = encodeEarlyData(bytesOf("hi there"));

  assertEquals(judge(request("GET /ws HTTP/1.1")), { key: KEY, early: none });
  assertEquals(early(request("GET /ws?x=1 HTTP/1.1")), "");
  assertEquals(early(request("GET /%77s HTTP/1.1")), "");
  assertEquals(early(request("GET /w HTTP/1.1")), "404 Not Found");
  assertEquals(early(request("GET /ws/x HTTP/1.1")), "404 Not Found");
  assertEquals(early(request("POST /ws HTTP/1.1")), "404 Not Found");
  assertEquals(early(request("GET /ws HTTP/1.1", { Upgrade: null })), "404 Not Found");
  assertEquals(early(request("GET /ws HTTP/1.1", { "Sec-WebSocket-Key": "short" })), "400 Bad Request");
  assertEquals(early(request("GET /ws HTTP/1.1", { "Sec-WebSocket-Version": "8" })), "400 Bad Request");
  assertEquals(judge(null), "400 Bad Request");

  // V2Ray behind the path, V2Ray in a header, Xray without a word in the server's config.
  assertEquals(early(request(`GET /ws${data} HTTP/1.1`), { maxEarlyData: 10 }), "hi there");
  assertEquals(early(request("GET /ws HTTP/1.1"), { maxEarlyData: 10 }), "");
  assertEquals(early(request("GET /ws!! HTTP/1.1"), { maxEarlyData: 10 }), "404 Not Found");
  assertEquals(
    early(request("GET /ws HTTP/1.1", { "X-Early": data }), {
      maxEarlyData: 10,
      earlyDataHeaderName: "x-early",
    }),
    "hi there",
  );
  const xray = judge(request("GET /ws HTTP/1.1", { "sec-websocket-protocol": data }));
  assert(typeof xray !== "string");
  assertEquals([textOf(xray.early), xray.echo], ["hi there", ["Sec-WebSocket-Protocol", data]]);
  assertEquals(early(request("GET /ws HTTP/1.1", { "Sec-WebSocket-Protocol": "chat, superchat" })), "");
});

Deno.test("a request in pieces, with frames right behind it", async () => {
  const request = bytesOf(
    `GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  );
  const wire = concat(request, masked(2, bytesOf("hello")));
  for (const cut of [1, 4, request.length - 2, request.length, request.length + 3, wire.length - 1]) {
    const [client, server] = memoryPair();
    await client.write(wire.slice(0, cut));
    const accepting = acceptWebSocket(server, webSocketLike(), undefined);
    await client.write(wire.slice(cut));
    const stream = await accepting;
    assertEquals(textOf(await readSome(stream, 5)), "hello");
    assertMatch(
      await readRequest(client),
      /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/,
    );
    stream.close();
  }
});

Deno.test("who asks for something else is told so in HTTP, and an end follows", async () => {
  for (
    const [sent, status] of [
      ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"],
      ["\x16\x03\x01\x02\x00\r\n\r\n", "400 Bad Request"],
    ]
  ) {
    const [client, server] = memoryPair();
    await client.write(bytesOf(sent));
    const accepting = errorOf(acceptWebSocket(server, webSocketLike(), undefined));
    assertEquals(
      await readRequest(client),
      `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    assertEquals(await client.ready(), false);
    client.close();
    const error = await accepting;
    assertEquals(error.code, "protocol");
    assert(error.message.includes(status), error.message);
  }
});

Deno.test("a head that does not end is not read for ever", async () => {
  const [client, server] = memoryPair(1 << 20);
  await client.write(bytesOf(`GET /ws HTTP/1.1\r\nX: ${"a".repeat(20_000)}`));
  assertEquals((await errorOf(acceptWebSocket(server, webSocketLike(), undefined))).code, "protocol");
});

async function answered(answer: (key: string) => string): Promise<Awaited<ReturnType<typeof errorOf>>> {
  const [client, server] = memoryPair();
  const opening = errorOf(
    openWebSocket(client, webSocketLike(), { target: TARGET, encrypted: true, early: none }, never),
  );
  const request = parseHead(bytesOf(await readRequest(server)))!;
  await server.write(bytesOf(answer(request.headers.get("sec-websocket-key")!)));
  server.close();
  return await opening;
}

Deno.test("a client says what it was answered", async () => {
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const cases: [(key: string) => string, string, RegExp][] = [
    [
      () => "HTTP/1.1 404 Not Found\r\n\r\n",
      "refused",
      /^cannot open a WebSocket at server\.example:443: the server answered 404 Not Found to the WebSocket request \(wrong path or host\?\)$/,
    ],
    [() => "HTTP/1.1 101 Switching Protocols\r\n\r\n", "refused", /something else than WebSocket/],
    [
      () => `HTTP/1.1 101 Switching\r\n${upgrade}Sec-WebSocket-Accept: x\r\n\r\n`,
      "refused",
      /another WebSocket/,
    ],
    [() => "SSH-2.0-x\r\n\r\n", "refused", /did not answer in HTTP/],
    [() => "HTTP/1.1 101", "refused", /breaks off/],
    [() => "", "refused", /ended the connection instead of answering/],
  ];
  for (const [answer, code, message] of cases) {
    const error = await answered(answer);
    assertEquals(error.code, code);
    assertMatch(error.message, message);
  }
});

Deno.test("a client that is given up closes the connection", async () => {
  const [client, server] = memoryPair();
  const controller = new AbortController();
  const opening = errorOf(
    openWebSocket(
      client,
      webSocketLike(),
      { target: TARGET, encrypted: false, early: none },
      controller.signal,
    ),
  );
  await readRequest(server);
  controller.abort(new Error("enough"));
  assertEquals((await opening).code, "unreachable");
  assertEquals(await server.ready(), false);
});

function client(): [WebSocketStream, ByteStream] {
  const [a, b] = memoryPair();
  return [new WebSocketStream(a, { isClient: true }), b];
}

Deno.test("pings are answered, also in the middle of a message; pongs are not", async () => {
  const [stream, peer] = client();
  await peer.write(hex("0103616263" + "8a00" + "8904aabbccdd" + "8003646566"));
  assertEquals(textOf(await readSome(stream, 6)), "abcdef");
  const pong = await readSome(peer, 10);
  assertEquals(toHex(pong.subarray(0, 2)), "8a84");
  const payload = pong.slice(6);
  applyMask(payload, pong.slice(2, 6), 0);
  assertEquals(toHex(payload), "aabbccdd");
});

Deno.test("a pong waits for the write under way, and the next write for the pong", async () => {
  const sent: string[] = [];
  const waiting: (() => void)[] = [];
  const [a, b] = memoryPair();
  // A stream whose writes settle when the test says so.
  const slow: ByteStream = Object.assign(Object.create(a), {
    halfCloses: true,
    ready: () => a.ready(),
    take: () => a.take(),
    close: () => a.close(),
    write: (x: Uint8Array, y?: Uint8Array) => {
      sent.push(toHex(y === undefined ? x : concat(x, y)));
      return new Promise<void>((resolve) => waiting.push(resolve));
    },
  });
  const stream = new WebSocketStream(slow, { isClient: false });
  const first = stream.write(bytesOf("1"));
  await b.write(masked(9, bytesOf("p")));
  assertEquals(await stream.ready(), true);
  stream.take();
  assertEquals(sent, ["820131"]);
  waiting.shift()!();
  await first;
  assertEquals(sent, ["820131", "8a0170"]);
  const second = stream.write(bytesOf("2"));
  assertEquals(sent.length, 2);
  waiting.shift()!();
  while (sent.length < 3) await Promise.resolve();
  waiting.shift()!();
  await second;
  assertEquals(sent, ["820131", "8a0170", "820132"]);
});

Deno.test("every frame of a client has a mask of its own, and a write of two pieces is one frame", async () => {
  const [stream, peer] = client();
  await stream.write(bytesOf("hel"), bytesOf("lo"));
  await stream.write(bytesOf("hello"));
  const wire = await readSome(peer, 22);
  assertEquals([toHex(wire.subarray(0, 2)), toHex(wire.subarray(11, 13))], ["8285", "8285"]);
  const masks = [wire.slice(2, 6), wire.slice(13, 17)];
  assert(toHex(masks[0]) !== toHex(masks[1]));
  for (const [i, at] of [6, 17].entries()) {
    const payload = wire.slice(at, at + 5);
    applyMask(payload, masks[i], 0);
    assertEquals(textOf(payload), "hello");
  }
});

Deno.test("a closing frame is an end; what came before it is read first, and no more can be sent", async () => {
  const [stream, peer] = client();
  await peer.write(hex("820161" + "880203e8"));
  assertEquals(textOf(await readSome(stream, 1)), "a");
  assertEquals(await stream.ready(), false);
  assertEquals((await errorOf(Promise.resolve(stream.write(bytesOf("x"))))).code, "closed");
  stream.close();
  assertEquals(toHex((await readSome(peer, 8)).subarray(0, 2)), "8882");
  assertEquals(await peer.ready(), false);
});

Deno.test("a connection that ends inside a frame is no end", async () => {
  const [stream, peer] = client();
  await peer.write(hex("820561"));
  await peer.closeWrite();
  assertEquals(textOf(await readSome(stream, 1)), "a");
  assertEquals((await errorOf(stream.ready())).code, "closed");
  const [other, its] = client();
  await its.write(hex("820161"));
  await its.closeWrite();
  assertEquals(textOf(await readSome(other, 2)), "a");
});

Deno.test("frames that break the rules break the stream", async () => {
  const [stream, peer] = client();
  await peer.write(hex("8b00"));
  assertEquals(await stream.ready(), true);
  assertEquals(stream.take().length, 0);
  assertEquals((await errorOf(stream.ready())).code, "protocol");
});
