/** What a client can make mtray hold, and what it leaves to others: uploads through TLS, and floods of datagrams. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { freePort, Mtray } from "../telegram/mtray_process.ts";
import { connectSocket } from "../telegram/socket.ts";
import { echo, Server } from "../v2ray/servers.ts";

const certificates = join(ROOT, "tests", "contract", "certs");
const MEGABYTE = 1 << 20;

Deno.test("an upload through TLS passes, and nothing of it is kept", async () => {
  let received = 0;
  await using sink = await Server.start(async (socket) => {
    for (let bytes; (bytes = await socket.read()) !== null;) received += bytes.length;
    await socket.write(Uint8Array.of(1));
  });
  const port = freePort();
  const tls = {
    certificates: [{
      certificateFile: join(certificates, "chain.pem"),
      keyFile: join(certificates, "chain_key.pem"),
    }],
  };
  const mtray = await Mtray.start({
    inbounds: [{
      listen: "127.0.0.1",
      port,
      protocol: "dokodemo-door",
      settings: { address: "127.0.0.1", port: sink.port },
      streamSettings: { security: "tls", tlsSettings: tls },
    }],
    outbounds: [{ protocol: "freedom" }],
  }, port);
  const caCerts = [readFileSync(join(certificates, "root.pem"), "utf8")];
  const upload = async (megabytes: number) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    using client = await Deno.startTls(connection, { hostname: "leaf.example", caCerts });
    const piece = new Uint8Array(MEGABYTE);
    for (let i = 0; i < megabytes; i++) {
      for (let at = 0; at < piece.length;) at += await client.write(piece.subarray(at));
    }
    // While it is open: what is kept is let go with the connection.
    const held = await mtray.memory();
    await client.closeWrite();
    assertEquals(await client.read(new Uint8Array(1)), 1);
    return held;
  };
  const before = await upload(32);
  const grown = (await upload(256) - before) / MEGABYTE;
  assertEquals(received, 288 * MEGABYTE);
  assert(grown < 100, `256 MB sent make mtray grow by ${grown.toFixed(0)} MB`);
  assertEquals((await mtray.stop()).code, 0);
});

Deno.test("datagrams from many sources leave descriptors to connections", async () => {
  await using server = await Server.start(echo);
  const port = freePort();
  const limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"];
  const mtray = await Mtray.start(
    {
      inbounds: [{
        listen: "127.0.0.1",
        port,
        protocol: "dokodemo-door",
        settings: { address: "127.0.0.1", port: server.port, network: "tcp,udp" },
      }],
      outbounds: [{ protocol: "freedom" }],
    },
    port,
    limited,
  );
  const senders = await Promise.all(Array.from({ length: 300 }, async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
    return socket;
  }));
  try {
    await Promise.all(
      senders.map((socket) =>
        new Promise<void>((resolve) => socket.send(Uint8Array.of(1), port, "127.0.0.1", () => resolve()))
      ),
    );
    for (let i = 0; i < 5; i++) {
      using client = await connectSocket(port);
      await client.write(Uint8Array.of(i));
      assertEquals(await client.readExactly(1), Uint8Array.of(i));
    }
  } finally {
    for (const socket of senders) socket.close();
  }
  assertEquals((await mtray.stop()).code, 0);
});
