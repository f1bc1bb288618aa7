// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type ErrorCode, MtrayError } from "../../../lib/errors.ts";
import { HttpInbound } from "../../../lib/proxy/http/inbound.ts";
import { response } from "../../../lib/proxy/http/responses.ts";
import type { HttpInboundSettings } from "../../../lib/proxy/http/settings.ts";
import type { InboundContext } from "../../../lib/proxy/types.ts";
import type { ByteStream } from "../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readAll } from "../../contract/streams.ts";
import { eachSplit } from "../../support.ts";
import { ascii, comeTo, expectBytes, inboundWorld } from "../fakes.ts";

const open: HttpInboundSettings = { accounts: null, allowTransparent: false, userLevel: 0 };
const closed: HttpInboundSettings = { ...open, accounts: new Map([["me", "pass:word"]]), userLevel: 3 };
const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

function setUp(settings = open, given: Partial<InboundContext> = {}) {
  const world = inboundWorld(given);
  const inbound = new HttpInbound(world.context, settings);
  return { ...world, inbound, come: () => comeTo(inbound) };
}

async function textOf(stream: ByteStream): Promise<string> {
  return new TextDecoder().decode(await readAll(stream));
}

/** Has a request passed on, and hands over both ends. */
async function pass(said: string, settings = open) {
  const { come, router } = setUp(settings);
  const { client, over } = come();
  await client.write(ascii(said));
  const { session, end } = await router.opened.next();
  return { client, over, session, end };
}

Deno.test("a tunnel is opened, and the client told so only then", async () => {
  const { come, router } = setUp();
  const gate = Promise.withResolvers<void>();
  router.before = () => gate.promise;
  const { client, over } = come();
  await client.write(ascii("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\nearly"));
  const answer = expectBytes(client, ascii(ESTABLISHED));
  gate.resolve();
  await answer;
  const { session, end } = await router.opened.next();
  assertEquals([session.target, session.user], [{ host: "example.com", port: 443 }, { email: "", level: 0 }]);
  await expectBytes(end, ascii("early"));
  await end.write(ascii("answer"));
  await end.closeWrite();
  assertEquals(await textOf(client), "answer");
  await client.closeWrite();
  assertEquals(await end.ready(), false);
  await over;
});

Deno.test("a tunnel's request may come in any pieces", async () => {
  const { come, router } = setUp();
  const said = ascii("CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\nearly");
  const splits: Uint8Array[][] = [];
  eachSplit(said, (pieces) => splits.push(pieces));
  for (const pieces of splits) {
    const { client, over } = come();
    for (const piece of pieces) await client.write(piece);
    await expectBytes(client, ascii(ESTABLISHED));
    const { session, end } = await router.opened.next();
    assertEquals(session.target, { host: "2001:db8::1", port: 443 });
    await expectBytes(end, ascii("early"));
    client.close();
    end.close();
    await over;
  }
});

Deno.test("a plain request goes to its target without what was the proxy's, and so does its response", async () => {
  const { client, over, session, end } = await pass(
    "POST http://User.example:8080/path?q HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\n" +
      "Proxy-Authorization: Basic bWU6cGFzczp3b3Jk\r\nAccept: */*\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n" +
      "Content-Length: 4\r\n\r\nbody",
    closed,
  );
  assertEquals(session.target, { host: "user.example", port: 8080 });
  assertEquals(session.user, { email: "me", level: 3 });
  await expectBytes(
    end,
    ascii(
      "POST /path?q HTTP/1.1\r\nHost: User.example:8080\r\nAccept: */*\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
    ),
  );
  await end.write(
    ascii("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\nContent-Length: 6\r\n\r\nanswer"),
  );
  // The server thinks of staying; the client knows that the connection ends, and leaves.
  await expectBytes(client, ascii("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer"));
  client.close();
  assertEquals(await end.ready(), false);
  end.close();
  await over;
});

Deno.test("a response passes whole, cut anywhere, with the interim ones before it", async () => {
  const said = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
    "HTTP/1.0 404 Not\xe9 Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const expected = said.replace("\r\nTransfer-Encoding: chunked", "$&\r\nConnection: close");
  const bytes = Uint8Array.from(said, (letter) => letter.charCodeAt(0));
  const splits: Uint8Array[][] = [];
  eachSplit(bytes, (pieces) => splits.push(pieces));
  for (const pieces of splits) {
    const { client, over, end } = await pass("GET http://a/ HTTP/1.1\r\n\r\n");
    for (const piece of pieces) await end.write(piece);
    await end.closeWrite();
    const got = await readAll(client);
    assertEquals(String.fromCharCode(...got), expected);
    client.close();
    await over;
  }
});

Deno.test("bodies pass whole, and no byte of a next request follows them", async () => {
  const next = "GET http://elsewhere/ HTTP/1.1\r\n\r\n";
  for (
    const [headers, body] of [
      ["", ""],
      ["Content-Length: 5\r\n", "hello"],
      ["Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nA: b\r\n\r\n"],
    ]
  ) {
    const { client, over, end } = await pass(`PUT http://a/ HTTP/1.1\r\n${headers}\r\n${body}${next}`);
    await client.write(ascii(next));
    await expectBytes(end, ascii(`PUT / HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n${body}`));
    await end.write(ascii("HTTP/1.1 204 No Content\r\n\r\n"));
    await end.closeWrite();
    // The next request is not answered here: the end of the connection tells the client to send it again.
    assertEquals(await textOf(client), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    assertEquals(await end.ready(), false);
    client.close();
    await over;
  }
});

Deno.test("a large body and a large response pass at the same time", async () => {
  const size = 1_000_000;
  const { client, over, end } = await pass(`POST http://a/ HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`);
  await expectBytes(
    end,
    ascii(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`),
  );
  const send = async (stream: ByteStream, seed: number) => {
    for (let i = 0; i < 10; i++) await stream.write(pattern(size / 10, seed + i));
  };
  const receive = async (stream: ByteStream, seed: number) => {
    for (let i = 0, bytes = new Uint8Array(); i < 10; i++) {
      const piece = new Uint8Array(size / 10);
      for (let have = 0; have < piece.length;) {
        if (bytes.length === 0) {
          assert(await stream.ready());
          bytes = stream.take().slice();
        }
        const part = bytes.subarray(0, piece.length - have);
        piece.set(part, have);
        have += part.length;
        bytes = bytes.subarray(part.length);
      }
      const expected = pattern(size / 10, seed + i);
      assert(piece.every((byte, j) => byte === expected[j]));
    }
  };
  await end.write(ascii("HTTP/1.1 200 OK\r\n\r\n"));
  await expectBytes(client, ascii("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
  await Promise.all([send(client, 1), receive(end, 1), send(end, 50), receive(client, 50)]);
  await end.closeWrite();
  assertEquals(await client.ready(), false);
  client.close();
  await over;
});

Deno.test("a client that leaves is seen leaving while the server thinks", async () => {
  const { client, over, end } = await pass("GET http://a/ HTTP/1.1\r\n\r\n");
  await expectBytes(end, ascii("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  client.close(new Error("gone"));
  assertEquals(await codeOfRejection(end.ready()), "reset");
  await over;
});

Deno.test("a server that ends without a response, or with none of HTTP, is a bad gateway", async () => {
  for (
    const [answer, passed] of [
      ["", ""],
      ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["HTTP/1.1 200 OK\r\nHalf: a", ""],
      ["SSH-2.0-x\r\n\r\n", ""],
      ["HTTP/2 200 OK\r\n\r\n", ""],
      ["HTTP/1.1 200 OK\r\nA b\r\n\r\n", ""],
      [`HTTP/1.1 200 OK\r\nA: ${"b".repeat(40_000)}`, ""],
    ]
  ) {
    const { client, over, end } = await pass("GET http://a/ HTTP/1.1\r\n\r\n");
    if (answer !== "") await end.write(ascii(answer));
    await end.closeWrite();
    assertEquals(await textOf(client), passed + new TextDecoder().decode(response(502)));
    client.close();
    await over;
    end.close();
  }
});

Deno.test("transparent requests are served where the config allows it", async () => {
  const said = "GET /path HTTP/1.1\r\nHost: a.example:8080\r\n\r\n";
  const { client, over, session, end } = await pass(said, { ...open, allowTransparent: true });
  assertEquals(session.target, { host: "a.example", port: 8080 });
  await expectBytes(end, ascii("GET /path HTTP/1.1\r\nHost: a.example:8080\r\nConnection: close\r\n\r\n"));
  end.close();
  client.close();
  await over;
});

const FAILURES: [HttpInboundSettings, string, number, string][] = [
  [open, "GET /path HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-header: it asks for no target that could be"],
  [open, "GET https://a/ HTTP/1.1\r\n\r\n", 400, "bad-header: it asks for no target that could be"],
  [open, "CONNECT a HTTP/1.1\r\n\r\n", 400, "bad-header: it asks for no target that could be"],
  [open, "CONNECT 10.1:80 HTTP/1.1\r\n\r\n", 400, "bad-header: it asks for no target that could be"],
  [open, "GET http://a/ HTTP/2\r\n\r\n", 400, "bad-header: cannot read the request: it is not HTTP/1"],
  [open, "\x16\x03\x01\r\n\r\n", 400, "bad-header: cannot read the head: its first line is none"],
  [
    open,
    "GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
    "bad-header: cannot read the head: it has two lengths",
  ],
  [
    open,
    `GET http://a/${"x".repeat(40_000)}`,
    400,
    "bad-header: cannot read the handshake: more than 32768 bytes",
  ],
  [closed, "GET http://a/ HTTP/1.1\r\n\r\n", 407, "no-user: no user with a right password"],
  [
    closed,
    "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic bWU6eA==\r\n\r\n",
    407,
    "no-user: no user with a right password",
  ],
  [
    closed,
    "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic !\r\n\r\n",
    407,
    "no-user: no user with a right password",
  ],
  [
    closed,
    "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Bearer bWU6cGFzczp3b3Jk\r\n\r\n",
    407,
    "no-user: no user with a right password",
  ],
];

Deno.test("who asks wrongly, or is not the one it must be, is told so, and is in the log", async () => {
  for (const [settings, said, status, logged] of FAILURES) {
    const { come, router, refusals } = setUp(settings);
    const { client, over } = come();
    await client.write(Uint8Array.from(said, (letter) => letter.charCodeAt(0)));
    const told = await textOf(client);
    assert(told.startsWith(`HTTP/1.1 ${status} `) && told.includes("Connection: close\r\n"), told);
    assertEquals(told.includes('Proxy-Authenticate: Basic realm="proxy"\r\n'), status === 407);
    client.close();
    await over;
    assertEquals([refusals(), router.opened.all.length], [[logged], 0]);
  }
});

Deno.test("a client hears in its protocol's words why there is no way", async () => {
  const codes: [ErrorCode, number][] = [
    ["blocked", 403],
    ["unreachable", 502],
    ["refused", 502],
    ["timed-out", 504],
    ["unsupported", 503],
  ];
  for (const [code, status] of codes) {
    for (
      const said of [
        "CONNECT a:1 HTTP/1.1\r\n\r\nearly",
        "POST http://a/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
      ]
    ) {
      const { come, router } = setUp();
      router.before = () => Promise.reject(new MtrayError(code, "because"));
      const { client, over } = come();
      await client.write(ascii(said));
      const told = await textOf(client);
      assert(told.startsWith(`HTTP/1.1 ${status} `) && !told.includes("because"), told);
      client.close();
      await over;
    }
  }
});

Deno.test("a request that does not come in time is told so", async () => {
  const policy = () => ({ handshake: 20, connIdle: 1000, uplinkOnly: 1000, downlinkOnly: 1000 });
  const { come, refusals } = setUp(open, { policy });
  const { client, over } = come();
  await client.write(ascii("GET "));
  assert((await textOf(client)).startsWith("HTTP/1.1 408 "));
  client.close();
  await over;
  assertEquals(refusals(), ["handshake-timeout: cannot read the handshake: it took too long"]);
});

Deno.test("with sniffing a tunnel's client is told to go on at once; a plain request says itself what it is", async () => {
  const sniffing = { protocols: ["tls", "http"] as const, routeOnly: true, domainsExcluded: [] };
  const { come, router } = setUp(open, { sniffing });
  const tunnel = come();
  await tunnel.client.write(ascii("CONNECT 1.2.3.4:80 HTTP/1.1\r\n\r\n"));
  await expectBytes(tunnel.client, ascii(ESTABLISHED));
  assertEquals(router.opened.all.length, 0);
  await tunnel.client.write(ascii("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"));
  const inside = await router.opened.next();
  assertEquals(inside.session.target.host, "1.2.3.4");
  assertEquals(inside.session.sniffed, { protocol: "http", domain: "example.com" });
  const plain = come();
  await plain.client.write(ascii("GET http://a.example/ HTTP/1.1\r\n\r\n"));
  const asked = await router.opened.next();
  assertEquals(asked.session.sniffed, { protocol: "http", domain: "a.example" });
  for (const stream of [tunnel.client, plain.client, inside.end, asked.end]) stream.close();
  await Promise.all([tunnel.over, plain.over]);
});
