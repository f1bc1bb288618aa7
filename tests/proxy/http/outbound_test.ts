// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../../lib/errors.ts";
import { HttpOutbound } from "../../../lib/proxy/http/outbound.ts";
import type { HttpOutboundSettings } from "../../../lib/proxy/http/settings.ts";
import { childSession } from "../../../lib/session.ts";
import { ascii, expectBytes, never, outboundWorld } from "../fakes.ts";

const TARGET = { host: "example.com", port: 443 };
const SERVER = { host: "proxy.example", port: 3128 };
const me = { user: "me", pass: "pä:ss" };

function setUp(settings: Partial<HttpOutboundSettings> = {}) {
  const world = outboundWorld();
  const outbound = new HttpOutbound(world.context, {
    servers: [{ address: SERVER, users: [] }],
    headers: [],
    ...settings,
  });
  return { ...world, outbound };
}

Deno.test("a connection is a tunnel through the server, and names stay names", async () => {
  const { outbound, dialled } = setUp();
  for (
    const [target, written] of [
      [TARGET, "example.com:443"],
      [{ host: "2001:db8::1", port: 80 }, "[2001:db8::1]:80"],
    ] as const
  ) {
    const connecting = outbound.connect({ ...childSession(target), alone: true }, never);
    const { target: dialledTarget, options, end } = await dialled.next();
    assertEquals([dialledTarget, options.alone], [SERVER, true]);
    await expectBytes(end, ascii(`CONNECT ${written} HTTP/1.1\r\nHost: ${written}\r\n\r\n`));
    await end.write(ascii("HTTP/1.1 200 OK\r\nX: y\r\n\r\nearly"));
    const { stream, via, adopted } = await connecting;
    assertEquals([via, adopted], [["hop", "out"], false]);
    await expectBytes(stream, ascii("early"));
    await stream.write(ascii("question"));
    await expectBytes(end, ascii("question"));
    stream.close();
  }
});

Deno.test("user, password and headers of the config are sent", async () => {
  const { outbound, dialled } = setUp({
    servers: [{ address: SERVER, users: [me] }],
    headers: [["User-Agent", "something"]],
  });
  const connecting = outbound.connect(childSession(TARGET), never);
  const { end } = await dialled.next();
  const basic = "bWU6cMOkOnNz";
  await expectBytes(
    end,
    ascii(
      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nUser-Agent: something\r\n" +
        `Proxy-Authorization: Basic ${basic}\r\n\r\n`,
    ),
  );
  // An interim answer is none.
  await end.write(ascii("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 \r\n\r\n"));
  (await connecting).stream.close();
});

Deno.test("what a server says against it is told in words, without the password", async () => {
  const through = "cannot connect through proxy.example:3128: ";
  const cases: [HttpOutboundSettings["servers"][0]["users"], string, string, string][] = [
    [[], "HTTP/1.1 403 Forbidden\r\n\r\nbody", "refused", "the server says: 403 Forbidden"],
    [[], "HTTP/1.1 502 Bad\x9b31m Gateway\r\n\r\n", "refused", "the server says: 502 Bad?31m Gateway"],
    [[], "HTTP/1.1 301\r\n\r\n", "refused", "the server says: 301"],
    [[], "HTTP/1.1 407 Hm\r\n\r\n", "refused", "the server asks for a user and password"],
    [[me], "HTTP/1.1 407 Hm\r\n\r\n", "refused", "the server does not take the user and password"],
    [[], "", "refused", "cannot read the handshake: the peer finished before its end"],
    [[], "SSH-2.0-x y\r\n\r\n", "protocol", "the server's answer is not HTTP/1"],
  ];
  for (const [users, answer, code, words] of cases) {
    const { outbound, dialled } = setUp({ servers: [{ address: SERVER, users }] });
    const failing = outbound.connect(childSession(TARGET), never).catch((error) => error);
    const { end } = await dialled.next();
    await end.write(Uint8Array.from(answer, (letter) => letter.charCodeAt(0)));
    await end.closeWrite();
    const error = await failing;
    if (!(error instanceof MtrayError)) throw error;
    assertEquals([error.code, error.message], [code, through + words]);
  }
});
