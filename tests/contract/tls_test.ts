import { assertEquals, assertMatch } from "@std/assert";
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runtime } from "../../lib/runtime/mod.ts";
import { MtrayError } from "../../lib/errors.ts";
import type { TlsOptions, TlsServerOptions } from "../../lib/runtime/types.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import { wrapped } from "./layers.ts";
import { codeOfRejection, pattern, readAll, readSome, tcp } from "./streams.ts";

/** Tests run from the top of the repository, as a bundle, too. */
const certs = join(process.cwd(), "tests", "contract", "certs");
const file = (name: string) => readFileSync(join(certs, name), "utf8");
const cert = file("cert.pem"), key = file("key.pem");
const never = new AbortController().signal;

async function withServer(
  serve: (socket: TLSSocket) => void,
  body: (at: { host: string; port: number }) => Promise<void>,
): Promise<void> {
  const server = createServer({ cert, key, allowHalfOpen: true }, serve);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    await body({ host: "127.0.0.1", port });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function echo(socket: TLSSocket): void {
  socket.on("error", () => {});
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end());
}

Deno.test("TLS over a stream: a megabyte each way, and the end", async () => {
  await withServer(echo, async (at) => {
    const plain = await runtime.dial(at, {}, never);
    const stream = await runtime.startTls(plain, "test.example", { caCerts: [cert] }, never);
    const sent = pattern(1_000_000);
    const send = (async () => {
      await stream.write(Uint8Array.of(9), sent.slice());
      await stream.closeWrite();
    })();
    const got = await readAll(stream);
    await send;
    assertEquals(got[0], 9);
    assertEquals(got.subarray(1), sent);
    stream.close();
  });
});

Deno.test("TLS over a stream: a certificate for another name is refused", async () => {
  await withServer(echo, async (at) => {
    const plain = await runtime.dial(at, {}, never);
    const tls = runtime.startTls(plain, "other.example", { caCerts: [cert] }, never);
    assertEquals(await codeOfRejection(tls), "unreachable");
  });
});

Deno.test("TLS over a stream: an unknown certificate is refused, unless that is allowed", async () => {
  await withServer(echo, async (at) => {
    const refused = runtime.startTls(await runtime.dial(at, {}, never), "test.example", {}, never);
    assertEquals(await codeOfRejection(refused), "unreachable");
    const options = { allowInsecure: true };
    const stream = await runtime.startTls(await runtime.dial(at, {}, never), "test.example", options, never);
    await stream.write(Uint8Array.of(1, 2, 3));
    assertEquals(await stream.ready(), true);
    assertEquals(stream.take(), Uint8Array.of(1, 2, 3));
    stream.close();
  });
});

/** Both sides are ours; what went wrong on each, or nothing. */
async function meet(
  name: string,
  client: TlsOptions,
  server: TlsServerOptions,
  wrap: (stream: ByteStream) => ByteStream,
): Promise<{ client?: MtrayError; server?: MtrayError; chain?: Uint8Array[] }> {
  const { a, b, end } = await tcp.open();
  let chain: Uint8Array[] | undefined;
  const judge = (shown: Uint8Array[]) => {
    chain = shown;
    return client.judge?.(shown) ?? false;
  };
  const [dialled, accepted] = await Promise.allSettled([
    runtime.startTls(wrap(a), name, { ...client, judge }, never),
    runtime.acceptTls(wrap(b), server, undefined, never),
  ]);
  if (dialled.status === "fulfilled" && accepted.status === "fulfilled") {
    await dialled.value.write(Uint8Array.of(1, 2));
    assertEquals([...await readSome(accepted.value, 2)], [1, 2]);
  }
  for (const result of [dialled, accepted]) if (result.status === "fulfilled") result.value.close();
  end();
  return {
    ...(dialled.status === "rejected" && { client: dialled.reason }),
    ...(accepted.status === "rejected" && { server: accepted.reason }),
    chain,
  };
}

const self: TlsServerOptions = { certificate: cert, key };
const chained: TlsServerOptions = { certificate: file("chain.pem"), key: file("chain_key.pem") };
const root = file("root.pem");

for (
  const [over, wrap] of [["sockets", (stream: ByteStream) => stream], ["other streams", wrapped]] as const
) {
  Deno.test(`TLS over ${over}: the client says what is wrong with a certificate`, async () => {
    const why = async (name: string, options: TlsOptions, server = self) =>
      (await meet(name, options, server, wrap)).client?.message;
    assertEquals(await why("test.example", { caCerts: [cert] }), undefined);
    assertEquals(await why("leaf.example", { caCerts: [root] }, chained), undefined);
    assertEquals(await why("127.0.0.1", { caCerts: [root] }, chained), undefined);
    assertEquals(
      await why("other.example", { caCerts: [root] }, chained),
      "cannot start TLS with other.example: its certificate is for other names (leaf.example, 127.0.0.1)",
    );
    assertEquals(
      await why("127.0.0.2", { caCerts: [root] }, chained),
      "cannot start TLS with 127.0.0.2: its certificate is for other names (leaf.example, 127.0.0.1)",
    );
    for (const caCerts of [undefined, [cert]]) {
      assertEquals(
        await why("leaf.example", { caCerts }, chained),
        "cannot start TLS with leaf.example: its certificate is signed by nobody that is trusted here",
      );
    }
  });

  Deno.test(`TLS over ${over}: the chain is shown before anything is sent, and may be refused or be enough`, async () => {
    const leaf = new Uint8Array(new X509Certificate(chained.certificate).raw);
    const seen = await meet("leaf.example", { caCerts: [root] }, chained, wrap);
    assertEquals(seen.client, undefined);
    assertEquals(seen.chain![0], leaf);
    assertEquals(seen.chain!.length >= 2, true);
    // Nobody signed it and the name is another one, but it is the one that was meant.
    assertEquals((await meet("any.example", { judge: () => true }, chained, wrap)).client, undefined);
    const refuse = () => {
      throw new MtrayError("unreachable", "not this one");
    };
    const refused = await meet(
      "leaf.example",
      { caCerts: [root], judge: refuse, allowInsecure: true },
      chained,
      wrap,
    );
    assertEquals(refused.client?.message, "cannot start TLS with leaf.example: not this one");
  });

  Deno.test(`TLS over ${over}: versions and protocols must meet`, async () => {
    const both = async (client: TlsOptions, server: Partial<TlsServerOptions>) => {
      const result = await meet("test.example", { caCerts: [cert], ...client }, { ...self, ...server }, wrap);
      return [result.client?.code, result.server?.code];
    };
    assertEquals(await both({ maxVersion: "1.2" }, {}), [undefined, undefined]);
    assertEquals(await both({ minVersion: "1.3" }, { minVersion: "1.3" }), [undefined, undefined]);
    const [versions] = await both({ maxVersion: "1.2" }, { minVersion: "1.3" });
    assertEquals(versions, "unreachable");
    assertEquals(await both({ alpn: ["h2", "http/1.1"] }, { alpn: ["http/1.1"] }), [undefined, undefined]);
    assertEquals(await both({ alpn: ["http/1.1"] }, {}), [undefined, undefined]);
  });

  Deno.test(`TLS over ${over}: bytes that were read before the server's part begins count`, async () => {
    const { a, b, end } = await tcp.open();
    const starting = runtime.startTls(wrap(a), "test.example", { caCerts: [cert] }, never);
    assertEquals(await b.ready(), true);
    const first = b.take().slice();
    const accepted = await runtime.acceptTls(wrap(b), self, first, never);
    const dialled = await starting;
    await dialled.write(Uint8Array.of(1, 2, 3));
    assertEquals([...await readSome(accepted, 3)], [1, 2, 3]);
    dialled.close();
    accepted.close();
    end();
  });

  Deno.test(`TLS over ${over}: whoever does not speak it, or says nothing, is told so`, async () => {
    const talk = async (first: Uint8Array | null) => {
      const { a, b, end } = await tcp.open();
      const accepting = runtime.acceptTls(wrap(b), self, undefined, never).catch((error) => error);
      if (first !== null) await a.write(first);
      else await a.closeWrite();
      const error = await accepting;
      end();
      return error;
    };
    for (const first of [new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), pattern(100), null]) {
      const error = await talk(first);
      assertEquals(error instanceof MtrayError, true);
      assertMatch(error.message, /^cannot take in a TLS connection: /);
    }
    const { a, b, end } = await tcp.open();
    const controller = new AbortController();
    const waiting = runtime.startTls(wrap(a), "test.example", {}, controller.signal).catch((error) => error);
    assertEquals(await b.ready(), true);
    controller.abort(new MtrayError("timed-out", "no answer within 1 s"));
    assertEquals((await waiting).message, "cannot start TLS with test.example: no answer within 1 s");
    end();
  });
}
