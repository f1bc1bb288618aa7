// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../lib/errors.ts";
import { Sessions } from "../../lib/proxy/sessions.ts";
import { sniff, Sniffer } from "../../lib/proxy/sniff.ts";
import type { Sniffing } from "../../lib/proxy/types.ts";
import { concat } from "../../lib/stream/bytes.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { readAll } from "../contract/streams.ts";
import { sessionLike } from "../routing/session.ts";
import { eachSplit } from "../support.ts";
import { ascii, inboundWorld, LOCAL, SOURCE } from "./fakes.ts";

const uint16 = (value: number) => Uint8Array.of(value >> 8, value);
const sized = (bytes: Uint8Array) => concat(uint16(bytes.length), bytes);
const extension = (type: number, body: Uint8Array) => concat(uint16(type), sized(body));
const serverName = (name: string) => extension(0, sized(concat(Uint8Array.of(0), sized(ascii(name)))));
const padding = extension(21, new Uint8Array(200));

/** A ClientHello message; without extensions none are announced. */
function hello(...extensions: Uint8Array[]): Uint8Array {
  const body = concat(
    Uint8Array.of(3, 3),
    new Uint8Array(32).fill(7),
    Uint8Array.of(32),
    new Uint8Array(32).fill(8),
    sized(Uint8Array.of(0x13, 1, 0x13, 2)),
    Uint8Array.of(1, 0),
    extensions.length === 0 ? new Uint8Array() : sized(concat(...extensions)),
  );
  return concat(Uint8Array.of(1, 0), uint16(body.length), body);
}

/** The message in records of at most so many bytes. */
function records(message: Uint8Array, size = 16_384): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    parts.push(Uint8Array.of(22, 3, 1), sized(part));
  }
  return concat(...parts);
}

/** The answer stays "more" up to some byte, and is the same from there on. */
function assertSniffed(bytes: Uint8Array, expected: ReturnType<typeof sniff>): void {
  let decided = false;
  for (let cut = 0; cut <= bytes.length; cut++) {
    const found = sniff(bytes.slice(0, cut));
    if (found === "more") assert(!decided, `undecided again at ${cut}`);
    else {
      decided = true;
      assertEquals(found, expected);
    }
  }
  assert(decided, "it was never decided");
}

Deno.test("the server name of a ClientHello is found, cut at every byte and in records of any size", () => {
  const named = hello(extension(10, sized(uint16(29))), serverName("WWW.Example.org"), padding);
  for (const size of [16_384, 1, 5, 100]) {
    const found = { protocol: "tls", domain: "www.example.org" } as const;
    assertSniffed(records(named, size), found);
    // A client that resumes sends more at once.
    assertSniffed(concat(records(named, size), Uint8Array.of(20, 3, 3, 0, 1, 1, 23, 3, 3)), found);
  }
});

Deno.test("a ClientHello without a name that can be is TLS all the same", () => {
  for (
    const message of [
      hello(),
      hello(padding),
      hello(serverName("1.2.3.4")),
      hello(serverName("a b")),
      hello(serverName("")),
    ]
  ) assertSniffed(records(message), { protocol: "tls" });
});

Deno.test("what only begins like TLS is nothing", () => {
  for (
    const bytes of [
      Uint8Array.of(22, 3, 1, 0, 0),
      Uint8Array.of(22, 3, 1, 0x40, 1),
      Uint8Array.of(22, 2, 0, 0, 9),
      Uint8Array.of(23, 3, 3, 0, 9),
      records(hello(padding).with(0, 2)),
      records(hello(padding).with(4, 2)),
      concat(records(hello(padding).slice(0, 50)), Uint8Array.of(23, 3, 3, 0, 1, 0)),
      // The extensions are shorter than they say.
      records(hello(serverName("a")).with(79, 1)),
    ]
  ) {
    assertEquals(sniff(bytes), null);
  }
});

Deno.test("the Host of a request is found, cut at every byte", () => {
  for (
    const [text, domain] of [
      ["GET / HTTP/1.1\r\nAccept: */*\r\nHOST:\t Example.com:8080 \r\nX: y\r\n\r\n", "example.com"],
      ["OPTIONS * HTTP/1.0\nhost:a_b.example\n\n", "a_b.example"],
      ["POST /x HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n", undefined],
      ["HEAD /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", undefined],
      ["GET /x HTTP/1.1\r\nX: Host: a\r\n\r\nHost: b\r\n", undefined],
    ]
  ) assertSniffed(ascii(text!), { protocol: "http", ...(domain !== undefined && { domain }) });
});

Deno.test("what only begins like HTTP is nothing", () => {
  for (
    const text of ["GETX", "get / HTTP/1.1\r\n", "GET /\r\n", "GET / HTTP/2\r\n", "SSH-2.0-x\r\n", "GE\0"]
  ) {
    assertEquals(sniff(ascii(text)), null, text);
  }
});

Deno.test("no bytes make it throw, and more of them do not change an answer", () => {
  const beginnings = fc.constantFrom(
    new Uint8Array(),
    ascii("GET / HTTP/1.1\r\nHo"),
    records(hello(padding)),
  );
  fc.assert(
    fc.property(
      beginnings,
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(300),
      fc.nat(250),
      (first, rest, cut, flip) => {
        const bytes = concat(first, rest);
        if (flip < bytes.length) bytes[flip] ^= 0x11;
        const before = sniff(bytes.slice(0, cut));
        if (before !== "more") assertEquals(sniff(bytes), before);
      },
    ),
    { numRuns: 2000 },
  );
});

const all: Sniffing = { protocols: ["http", "tls"], routeOnly: false, domainsExcluded: [] };
const REQUEST = ascii("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");

async function sniffed(sniffing: Sniffing | undefined, pieces: Uint8Array[], how: "open" | "ended" = "open") {
  const { context } = inboundWorld({ sniffing });
  const sessions = new Sessions(context);
  const session = sessions.begin({ source: SOURCE, local: LOCAL }, {
    network: "tcp",
    target: { host: "1.2.3.4", port: 80 },
  });
  const [client, stream] = memoryPair();
  for (const piece of pieces) await client.write(piece);
  if (how === "ended") client.closeWrite();
  const inside = await sessions.sniff(session, stream);
  return { session, client, stream, inside };
}

Deno.test("a session's domain takes the place of its target, and no byte is lost", async () => {
  const splits: Uint8Array[][] = [];
  eachSplit(REQUEST, (pieces) => splits.push(pieces));
  for (const pieces of splits) {
    const { session, client, inside } = await sniffed(all, pieces);
    assertEquals(session.target, { host: "example.com", port: 80 });
    assertEquals(session.sniffed, { protocol: "http", domain: "example.com" });
    await client.write(ascii("body"));
    await client.closeWrite();
    assertEquals(await readAll(inside), concat(REQUEST, ascii("body")));
  }
});

Deno.test("the config says what is used of it", async () => {
  const given: [Partial<Sniffing>, string, object][] = [
    [{ routeOnly: true }, "1.2.3.4", { protocol: "http", domain: "example.com" }],
    [{ protocols: ["tls"] }, "1.2.3.4", { protocol: "http" }],
    [{ protocols: [] }, "1.2.3.4", { protocol: "http" }],
    [{ domainsExcluded: ["other", "ample.co"] }, "1.2.3.4", { protocol: "http" }],
    [{ domainsExcluded: ["keyword:EXAMPLE"] }, "1.2.3.4", { protocol: "http" }],
    [{ domainsExcluded: ["domain:com"] }, "1.2.3.4", { protocol: "http" }],
    [{ domainsExcluded: ["full:Example.com"] }, "1.2.3.4", { protocol: "http" }],
    [{ domainsExcluded: ["regexp:^EX.*m$"] }, "1.2.3.4", { protocol: "http" }],
    [
      { domainsExcluded: ["full:www.example.com", "domain:ample.com", "regexp:^com"] },
      "example.com",
      { protocol: "http", domain: "example.com" },
    ],
  ];
  for (const [sniffing, host, found] of given) {
    const { session } = await sniffed({ ...all, ...sniffing }, [REQUEST]);
    assertEquals([session.target.host, session.sniffed], [host, found as typeof session.sniffed]);
  }
  assertThrows(
    () => new Sniffer({ ...all, domainsExcluded: ["regexp:("] }),
    MtrayError,
    "regular expression",
  );
});

Deno.test("without sniffing, and for datagrams, nothing is waited for", async () => {
  const { session, stream, inside } = await sniffed(undefined, []);
  assertEquals([session.sniffed, inside === stream], [undefined, true]);
  const sessions = new Sessions(inboundWorld({ sniffing: all }).context);
  const [, other] = memoryPair();
  assertEquals(await sessions.sniff(sessionLike({ network: "udp" }), other) === other, true);
});

Deno.test("who says nothing, too little, too much or another thing is served as it is", async () => {
  const began = performance.now();
  const silent = await sniffed(all, []);
  assert(performance.now() - began < 5_000);
  assertEquals([silent.session.sniffed, silent.inside === silent.stream], [undefined, true]);
  // A wait that went on behind the limit loses nothing.
  await silent.client.write(ascii("late"));
  await silent.client.closeWrite();
  assertEquals(await readAll(silent.inside), ascii("late"));

  for (
    const said of [
      ascii("GET / HT"),
      ascii("SSH-2.0-x\r\n"),
      concat(ascii("GET / HTTP/1.1\r\n"), ascii("X: y\r\n".repeat(2000))),
    ]
  ) {
    const { session, client, inside } = await sniffed(all, [said]);
    assertEquals([session.target.host, session.sniffed], ["1.2.3.4", undefined]);
    await client.closeWrite();
    assertEquals(await readAll(inside), said);
  }
  const ended = await sniffed(all, [ascii("GET")], "ended");
  assertEquals(await readAll(ended.inside), ascii("GET"));
});
