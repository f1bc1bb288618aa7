// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { memoryPair } from "../../lib/stream/pair.ts";
import { withHttpHeader } from "../../lib/transport/http_header.ts";
import { acceptHttpUpgrade, openHttpUpgrade } from "../../lib/transport/http_upgrade.ts";
import { bytesOf, errorOf, never, readRequest, readSome, TARGET, textOf, upgradeLike } from "./streams.ts";

const ANSWER = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const options = { target: TARGET, encrypted: true };

Deno.test("an upgrade: request, answer, and bytes right behind it", async () => {
  const [client, server] = memoryPair();
  const opening = openHttpUpgrade(client, upgradeLike({ headers: { "X-A": "1" } }), options, never);
  assertEquals(
    await readRequest(server),
    "GET /up HTTP/1.1\r\nHost: server.example\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n" +
      "Upgrade: websocket\r\nX-A: 1\r\n\r\n",
  );
  await server.write(bytesOf(`${ANSWER}hello`));
  const stream = await opening;
  assertEquals(textOf(await readSome(stream, 5)), "hello");
  await stream.write(bytesOf("plain"));
  assertEquals(textOf(await readSome(server, 5)), "plain");
});

Deno.test("a refusal is named", async () => {
  const [client, server] = memoryPair();
  const failing = errorOf(openHttpUpgrade(client, upgradeLike(), options, never));
  await readRequest(server);
  await server.write(bytesOf("HTTP/1.1 404 Not Found\r\n\r\n"));
  const error = await failing;
  assertEquals(error.code, "refused");
  assertEquals(
    error.message,
    "cannot upgrade HTTP at server.example:443: the server answered 404 Not Found (wrong path or host?)",
  );
});

Deno.test("a server takes its path, and says 404 to the rest", async () => {
  const ask = async (line: string, headers: string) => {
    const [client, server] = memoryPair();
    await client.write(bytesOf(`${line}\r\n${headers}\r\nrest`));
    const accepting = acceptHttpUpgrade(server, upgradeLike(), undefined);
    accepting.catch(() => {});
    const answer = await readRequest(client);
    client.close();
    return { answer, accepting };
  };
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const { answer, accepting } = await ask(
    "GET /up?x HTTP/1.1",
    `${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`,
  );
  assertMatch(answer, /^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n$/);
  assertEquals(textOf(await readSome(await accepting, 4)), "rest");
  for (
    const [line, headers] of [["GET /x HTTP/1.1", upgrade], ["GET /up HTTP/1.1", ""], [
      "PUT /up HTTP/1.1",
      upgrade,
    ]]
  ) {
    const { answer, accepting } = await ask(line, headers);
    assertEquals(answer.split("\r\n")[0], "HTTP/1.1 404 Not Found");
    assertEquals((await errorOf(accepting)).code, "protocol");
  }
});

Deno.test("the http header: a request in front of the first write, an answer that is skipped", async () => {
  const settings = {
    method: "GET",
    version: "1.1",
    paths: ["/a", "/b"],
    headers: { Host: ["x", "y"], Empty: [] },
  };
  const [client, server] = memoryPair();
  const stream = withHttpHeader(client, settings, () => Uint8Array.of(1));
  await stream.write(bytesOf("hel"), bytesOf("lo"));
  const request = "GET /b HTTP/1.1\r\nHost: y\r\n\r\n";
  assertEquals(textOf(await readSome(server, request.length + 5)), `${request}hello`);
  await stream.write(bytesOf("again"));
  assertEquals(textOf(await readSome(server, 5)), "again");
  await server.write(bytesOf("HTTP/1.1 200 OK\r\nPragma: no-cache\r\n\r\nanswer"));
  assertEquals(textOf(await readSome(stream, 6)), "answer");
});

Deno.test("the http header: whoever only listens is heard all the same, and a refusal is named", async () => {
  const settings = { method: "GET", version: "1.1", paths: ["/"], headers: {} };
  const [client, server] = memoryPair();
  const stream = withHttpHeader(client, settings, () => Uint8Array.of(0));
  const reading = errorOf(stream.ready());
  assertEquals(await readRequest(server), "GET / HTTP/1.1\r\n\r\n");
  await server.write(bytesOf("HTTP/1.1 404 Not Found\r\n\r\n"));
  const error = await reading;
  assertEquals([error.code, error.message], [
    "refused",
    "the server answered 404 Not Found to the http header (wrong path?)",
  ]);

  const [endless, peer] = memoryPair(1 << 20);
  const other = withHttpHeader(endless, settings, () => Uint8Array.of(0));
  await peer.write(bytesOf("x".repeat(20_000)));
  assertEquals((await errorOf(other.ready())).code, "protocol");
});
