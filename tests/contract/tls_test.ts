import { assertEquals } from "@std/assert";
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runtime } from "../../lib/runtime/mod.ts";
import { codeOfRejection, pattern, readAll } from "./streams.ts";

/** Tests run from the top of the repository, as a bundle, too. */
const certs = join(process.cwd(), "tests", "contract", "certs");
const cert = readFileSync(join(certs, "cert.pem"), "utf8");
const key = readFileSync(join(certs, "key.pem"), "utf8");
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
    const stream = await runtime.startTls(plain, { serverName: "test.example", caCerts: [cert] }, never);
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
    const tls = runtime.startTls(plain, { serverName: "other.example", caCerts: [cert] }, never);
    assertEquals(await codeOfRejection(tls), "unreachable");
  });
});

Deno.test("TLS over a stream: an unknown certificate is refused, unless that is allowed", async () => {
  await withServer(echo, async (at) => {
    const refused = runtime.startTls(
      await runtime.dial(at, {}, never),
      { serverName: "test.example" },
      never,
    );
    assertEquals(await codeOfRejection(refused), "unreachable");
    const options = { serverName: "test.example", allowInsecure: true };
    const stream = await runtime.startTls(await runtime.dial(at, {}, never), options, never);
    await stream.write(Uint8Array.of(1, 2, 3));
    assertEquals(await stream.ready(), true);
    assertEquals(stream.take(), Uint8Array.of(1, 2, 3));
    stream.close();
  });
});
