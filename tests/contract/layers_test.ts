import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { MtrayError } from "../../lib/errors.ts";
import { runtime } from "../../lib/runtime/mod.ts";
import type { Accepted, ByteStream, Dial } from "../../lib/stream/types.ts";
import { inboundLayers, outboundLayers, plainLayers } from "../../lib/transport/layers.ts";
import { proxyHeader } from "../../lib/transport/proxy_protocol.ts";
import type { TransportSettings } from "../../lib/transport/types.ts";
import { certificate, key, never, tlsSettings, webSocket } from "./layers.ts";
import { pattern, readAll, readSome } from "./streams.ts";

const file = (name: string) => readFileSync(join(process.cwd(), "tests", "contract", "certs", name), "utf8");
const loopback = { host: "127.0.0.1", port: 0 };
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What one connection came to, at the server. */
type Outcome = { accepted: Accepted } | { error: MtrayError };

/** Listens with an inbound's layers; what they make of the next connection. */
async function listening(
  settings: TransportSettings,
  body: (
    server: { at: { host: string; port: number }; next: Promise<Outcome> },
  ) => Promise<void>,
  signal = never,
): Promise<void> {
  const layers = inboundLayers(settings, runtime)!;
  const next = Promise.withResolvers<Outcome>();
  const open: ByteStream[] = [];
  const listener = await runtime.listen(loopback, (accepted) => {
    open.push(accepted.stream);
    layers.accept(accepted, signal).then(
      (accepted) => next.resolve({ accepted }),
      (error) => {
        accepted.stream.close();
        next.resolve({ error });
      },
    );
  });
  try {
    await body({ at: listener.address, next: next.promise });
  } finally {
    for (const stream of open) stream.close();
    listener.close();
  }
}

async function acceptedOf(next: Promise<Outcome>): Promise<Accepted> {
  const outcome = await next;
  if ("error" in outcome) throw outcome.error;
  return outcome.accepted;
}

async function errorOf(next: Promise<Outcome>): Promise<MtrayError> {
  const outcome = await next;
  if ("accepted" in outcome) throw new Error("it was taken in");
  return outcome.error;
}

const dialWith = (settings: TransportSettings, lowest: Dial = runtime.dial) =>
  outboundLayers(settings, runtime, false).around(lowest);

const serverTls = { ...tlsSettings, authorities: [], certificates: [{ certificate, key }] };
const named = { ...tlsSettings, serverName: "test.example" };

Deno.test("nothing is put around plain TCP", () => {
  assertEquals(outboundLayers({ network: "tcp" }, runtime, false), plainLayers);
  assertEquals(inboundLayers({ network: "tcp" }, runtime), null);
  assertEquals(outboundLayers({ network: "ws", ws: webSocket }, runtime, true), plainLayers);
  assertEquals(outboundLayers({ network: "tcp", tls: named }, runtime, true).encrypts, true);
  assertEquals(outboundLayers({ network: "ws", ws: webSocket }, runtime, false).encrypts, false);
});

Deno.test("a PROXY header, TLS and ws come off in this order, and the client is the one that the header names", async () => {
  const settings: TransportSettings = {
    network: "ws",
    ws: webSocket,
    tls: serverTls,
    proxyProtocol: { trusted: ["127.0.0.0/8"] },
    keepAlive: { idle: 60 },
  };
  const remote = { host: "192.0.2.7", port: 1234 }, local = { host: "198.51.100.1", port: 443 };
  for (const version of [1, 2] as const) {
    await listening(settings, async ({ at, next }) => {
      // The relay in front puts the header before what it passes on, in one piece.
      const lowest: Dial = async (target, options, signal) => {
        const stream = await runtime.dial(target, options, signal);
        let header: Uint8Array | null = proxyHeader(version, remote, local);
        return {
          halfCloses: true,
          ready: () => stream.ready(),
          readyBefore: (deadline: number) => stream.readyBefore(deadline),
          take: (room?: number) => stream.take(room),
          write: (a: Uint8Array, b?: Uint8Array) => {
            const first = header;
            header = null;
            if (first === null) return stream.write(a, b);
            return (async () => {
              await stream.write(first, a);
              if (b !== undefined) await stream.write(b);
            })();
          },
          closeWrite: () => stream.closeWrite(),
          close: (reason?: unknown) => stream.close(reason),
        };
      };
      const dialled = await dialWith({ network: "ws", ws: webSocket, tls: named }, lowest)(at, {}, never);
      const accepted = await acceptedOf(next);
      assertEquals([accepted.remote, accepted.local], [remote, local]);
      const sent = pattern(100_000);
      await dialled.write(sent.slice());
      assertEquals(await readSome(accepted.stream, sent.length), sent);
      dialled.close();
      assertEquals(await readAll(accepted.stream), new Uint8Array());
    });
  }
});

Deno.test("a PROXY header that does not come, or comes from elsewhere, ends the connection", async () => {
  const header = proxyHeader(1, { host: "192.0.2.7", port: 1 }, { host: "192.0.2.8", port: 2 });
  for (
    const [trusted, sent, why] of [
      [["192.0.2.0/24"], header, /no relay that may say/],
      [["127.0.0.1"], bytesOf("GET / HTTP/1.1\r\n\r\n"), /it sent no PROXY header/],
    ] as const
  ) {
    await listening({ network: "tcp", proxyProtocol: { trusted: [...trusted] } }, async ({ at, next }) => {
      const client = await runtime.dial(at, {}, never);
      await client.write(sent.slice());
      const error = await errorOf(next);
      assertEquals(error.code, "protocol");
      assertMatch(error.message, why);
      let ended = "end";
      await readAll(client).catch((error) => ended = error.code);
      assert(ended === "end" || ended === "reset");
      client.close();
    });
  }
});

Deno.test("of several certificates the one that the client asks for is shown, or else the first", async () => {
  const certificates = [{ certificate, key }, { certificate: file("chain.pem"), key: file("chain_key.pem") }];
  const tls = { ...serverTls, certificates };
  const client = { ...tlsSettings, authorities: [certificate, file("root.pem")] };
  const shown = async (serverName: string) => {
    let result = "";
    await listening({ network: "tcp", tls }, async ({ at, next }) => {
      const dialled = await dialWith({ network: "tcp", tls: { ...client, serverName } })(at, {}, never).catch(
        (e) => e,
      );
      result = dialled instanceof MtrayError ? dialled.message : "fits";
      await next;
      if (!(dialled instanceof MtrayError)) dialled.close();
    });
    return result;
  };
  assertEquals(await shown("test.example"), "fits");
  assertEquals(await shown("leaf.example"), "fits");
  assertEquals(
    await shown("other.example"),
    "cannot start TLS with other.example: its certificate is for other names (test.example)",
  );
});

Deno.test("pins decide before anything is sent", async () => {
  const { X509Certificate, createHash } = await import("node:crypto");
  const hash = (encoding: "hex" | "base64") =>
    createHash("sha256").update(new X509Certificate(certificate).raw).digest(encoding);
  const dial = async (fields: object) => {
    let result = "";
    await listening({ network: "tcp", tls: serverTls }, async ({ at }) => {
      const tls = {
        ...tlsSettings,
        authorities: [],
        disableSystemRoot: false,
        serverName: "any.example",
        ...fields,
      };
      const dialled = await dialWith({ network: "tcp", tls })(at, {}, never).catch((error) => error);
      result = dialled instanceof MtrayError ? dialled.message : "fits";
      if (!(dialled instanceof MtrayError)) dialled.close();
    });
    return result;
  };
  assertEquals(await dial({ pinnedCertificates: [hash("hex")] }), "fits");
  assertEquals(await dial({ pinnedChains: [hash("base64")], allowInsecure: true }), "fits");
  assertMatch(await dial({ pinnedChains: [hash("base64")] }), /trusted here|other names/);
  for (
    const fields of [{ pinnedCertificates: ["00".repeat(32)] }, { pinnedChains: [btoa("x".repeat(32))] }]
  ) {
    assertMatch(await dial({ ...fields, allowInsecure: true }), /is not a pinned one; its hash is /);
  }
});

Deno.test("a pinned authority that a stranger shows beside his own certificate speaks for nobody", async () => {
  const { X509Certificate, createHash } = await import("node:crypto");
  const authority = file("chain.pem").split(/(?=-----BEGIN)/).at(-1)!;
  const pin = createHash("sha256").update(new X509Certificate(authority).raw).digest("hex");
  const tls = { ...serverTls, certificates: [{ certificate: `${certificate}\n${authority}`, key }] };
  await listening({ network: "tcp", tls }, async ({ at }) => {
    const settings = {
      ...tlsSettings,
      serverName: "test.example",
      pinnedCertificates: [pin],
      allowInsecure: true,
    };
    const client = { ...settings, authorities: [] };
    const dialled = await dialWith({ network: "tcp", tls: client })(at, {}, never).catch((error) => error);
    assert(dialled instanceof MtrayError, "a stranger was believed");
  });
});

for (
  const [form, fields] of [
    ["behind the path", { maxEarlyData: 5 }],
    ["in a header", { maxEarlyData: 5, earlyDataHeaderName: "Sec-WebSocket-Protocol" }],
  ] as const
) {
  Deno.test(`early data ${form}: the first write opens the connection and arrives whole`, async () => {
    const ws = { ...webSocket, ...fields };
    await listening({ network: "ws", ws }, async ({ at, next }) => {
      const dialled = await dialWith({ network: "ws", ws })(at, {}, never);
      await dialled.write(bytesOf("hello, world"));
      const { stream } = await acceptedOf(next);
      assertEquals(await stream.ready(), true);
      assertEquals(textOf(stream.take()), "hello");
      assertEquals(textOf(await readSome(stream, 7)), ", world");
      await stream.write(bytesOf("answer"));
      assertEquals(textOf(await readSome(dialled, 6)), "answer");
      dialled.close();
    });
  });
}

Deno.test("Xray's early data needs no word in the server's config", async () => {
  const ws = { ...webSocket, maxEarlyData: 2048, earlyDataHeaderName: "Sec-WebSocket-Protocol" };
  await listening({ network: "ws", ws: webSocket }, async ({ at, next }) => {
    const dialled = await dialWith({ network: "ws", ws })(at, {}, never);
    await dialled.write(bytesOf("hello"));
    assertEquals(textOf(await readSome((await acceptedOf(next)).stream, 5)), "hello");
    dialled.close();
  });
});

Deno.test("a browser at a ws port with TLS is told 404", async () => {
  await listening({ network: "ws", ws: webSocket, tls: serverTls }, async ({ at, next }) => {
    const browser = await dialWith({ network: "tcp", tls: named })(at, {}, never);
    await browser.write(bytesOf("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"));
    assertEquals(
      textOf(await readAll(browser)),
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    browser.close();
    assertEquals((await errorOf(next)).code, "protocol");
  });
});

Deno.test("a client that does nothing is given up with the signal, at every layer", async () => {
  const trusted = ["127.0.0.1"];
  const cases: [TransportSettings, string][] = [
    [{ network: "tcp", proxyProtocol: { trusted } }, "PROXY TCP4 "],
    [{ network: "tcp", tls: serverTls }, "\x16\x03\x01"],
    [{
      network: "tcp",
      tls: { ...serverTls, certificates: [...serverTls.certificates, ...serverTls.certificates] },
    }, "\x16\x03\x01"],
    [{ network: "ws", ws: webSocket }, "GET /ws HTTP/1.1\r\n"],
    [{ network: "httpupgrade", httpUpgrade: { path: "/", host: "", headers: {} } }, "GET /"],
  ];
  for (const [settings, sent] of cases) {
    const controller = new AbortController();
    await listening(settings, async ({ at, next }) => {
      const client = await runtime.dial(at, {}, never);
      await client.write(Uint8Array.from(sent, (letter) => letter.charCodeAt(0)));
      // The server has seen it when it has nothing more to do but wait.
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort(new MtrayError("timed-out", "no answer within 10 s"));
      const error = await errorOf(next);
      assertMatch(error.message, /no answer within 10 s$/);
      await readAll(client).catch(() => {});
      client.close();
    }, controller.signal);
  }
});

Deno.test("a server that does nothing is given up, and what it was dialled for is told", async () => {
  const listener = await runtime.listen(loopback, () => {});
  for (
    const settings of [{ network: "tcp", tls: named }, {
      network: "ws",
      ws: webSocket,
    }] as TransportSettings[]
  ) {
    const controller = new AbortController();
    const dialling = dialWith(settings)(listener.address, {}, controller.signal).catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(new MtrayError("timed-out", "no answer within 30 s"));
    const error = await dialling;
    assertEquals(error.code, "unreachable");
    assertMatch(error.message, /^cannot .*: no answer within 30 s$/);
  }
  listener.close();
});
