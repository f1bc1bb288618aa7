/**
 * Strangers. Whatever they send, they talk to the site: what the site got is what they sent, what they got is what
 * the site sent, and an end or an abort on either side is the same on the other. No data centre hears of them.
 */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { connect } from "node:tls";
import { concat, hex, random, unhex } from "../telegram/bytes.ts";
import { sink } from "../telegram/behaviours.ts";
import { buildClientHello, signHello, splitIntoRecords } from "../telegram/client_hello.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { FakeTlsClient } from "../telegram/fake_tls.ts";
import { Mtray } from "../telegram/mtray_process.ts";
import { initiate } from "../telegram/obfuscated2.ts";
import { Site, type Visit } from "../telegram/site.ts";
import { connectSocket, nothing, PeerReset, type Socket } from "../telegram/socket.ts";

const DOMAIN = "www.example.org";
const OTHER = "other.example.org";
const tlsKey = random(16);
const plainKey = random(16);
const text = (words: string) => new TextEncoder().encode(words);
const now = () => Math.floor(Date.now() / 1000);
const hello = (changes = {}) => buildClientHello({ secret: tlsKey, domain: DOMAIN, ...changes }).record;

/** On a port with an ee user alone, and on one with a classic user beside. */
const ports = {
  "ee alone": [`ee${hex(tlsKey)}${hex(text(DOMAIN))}`],
  "ee and classic": [`ee${hex(tlsKey)}${hex(text(DOMAIN))}`, hex(plainKey)],
};

interface Scene {
  port: number;
  site: Site;
  other: Site;
}

/** Mtray with two sites and a data centre that must stay alone. */
async function withScene(secrets: string[], body: (scene: Scene) => Promise<void>): Promise<void> {
  const centre = await DataCentre.start(sink);
  const site = await Site.start(answering, { resettable: true });
  const other = await Site.start(answering);
  const mtray = await Mtray.startGateway({
    users: secrets.map((secret) => ({ secret })),
    dataCenters: { "2": [centre.address] },
    inbound: { fallbacks: [{ name: DOMAIN, dest: site.address }, { name: OTHER, dest: other.address }] },
    config: { routing: { rules: [{ type: "field", inboundTag: ["tg-in"], outboundTag: "tg-out" }] } },
  });
  try {
    await body({ port: mtray.port, site, other });
    assertEquals(centre.accepted, 0, "a stranger reached the data centre");
  } finally {
    const { code, stderr, stdout } = await mtray.stop();
    await Promise.all([centre.close(), site.close(), other.close()]);
    assertEquals(code, 0, stderr);
    for (const secret of secrets) {
      assert(!`${stdout}${stderr}`.includes(secret.slice(0, 32)), "a secret was logged");
    }
  }
}

/** Answers everything with as many bytes of its own, and an end with an end. */
async function answering(visit: Visit): Promise<void> {
  let answered = 0;
  while (await visit.readOn()) {
    await visit.socket.write(new Uint8Array(visit.received.length - answered).fill(0x5a));
    answered = visit.received.length;
  }
  await visit.socket.closeWrite();
  await visit.ended;
}

/** The visit that brought these bytes; visits come in no particular order. */
async function visitWith(site: Site, bytes: Uint8Array): Promise<Visit> {
  for (let patience = 0; patience < 200; patience++) {
    for (const visit of site.visits) {
      if (hex(visit.received) === hex(bytes)) return visit;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `no visit brought these ${bytes.length} bytes; visits: ${site.visits.map((v) => v.received.length)}`,
  );
}

async function readAll(socket: Socket): Promise<Uint8Array> {
  let all = new Uint8Array();
  for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) all = concat(all, bytes);
  return all;
}

/** The stranger speaks, is answered as much, finishes, and sees the site finish. */
async function compareAtSite(port: number, site: Site, bytes: Uint8Array): Promise<void> {
  const stranger = await connectSocket(port);
  await stranger.write(bytes);
  const answer = await stranger.readExactly(bytes.length);
  assertEquals(answer?.every((byte) => byte === 0x5a), true);
  const more = random(300);
  await stranger.write(more);
  await stranger.readExactly(more.length);
  await stranger.closeWrite();
  assertEquals(await readAll(stranger), new Uint8Array());
  const visit = await visitWith(site, concat(bytes, more));
  assertEquals(await visit.ended, "fin");
  stranger.close();
}

for (const [name, secrets] of Object.entries(ports)) {
  Deno.test(`${name}: what cannot be a client talks to the site`, async () => {
    await withScene(secrets, async ({ port, site, other }) => {
      const fresh = hello();
      const strangers: [string, Uint8Array][] = [
        ["noise", concat(Uint8Array.of(0x42), random(199))],
        ["HTTP", text("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n" + "x".repeat(40))],
        ["HTTP, short", text("HEAD / HTTP/1.0\r\n\r\n")],
        ["SSH", text("SSH-2.0-OpenSSH_9.7\r\n".padEnd(70, "."))],
        ["an alert", concat(unhex("15 03 01 00 02 02 28"), random(60))],
        ["a record without length", concat(unhex("16 03 01 00 00"), random(60))],
        ["a record too long", concat(unhex("16 03 01 40 01"), random(60))],
        ["a handshake that is no hello", concat(unhex("16 03 01 00 40 02"), random(63))],
        ["a hello made with another secret", hello({ secret: random(16) })],
        ["a hello without a name", hello({ domain: "" })],
        ["a hello without TLS 1.3", hello({ ciphers: [0xc02b, 0xc02f] })],
        ["a hello with a short session id", hello({ sessionId: random(16) })],
        ["a hello without x25519", hello({ keyShares: [] })],
        ["a stale hello", hello({ time: now() - 600 })],
        ["a hello of the future", hello({ time: now() + 600 })],
        ["a changed hello", changed(fresh, 60)],
        [
          "a hello in eleven records",
          splitIntoRecords(fresh, Array.from({ length: 10 }, (_, i) => 100 * (i + 1))),
        ],
        ["a header of the ee secret without FakeTLS", initiate({ tag: 0xdd, dc: 2, secret: tlsKey }).header],
        ["a header of nobody's", initiate({ tag: 0xee, dc: 2, secret: random(16) }).header],
      ];
      for (const [what, bytes] of strangers) {
        await compareAtSite(port, site, bytes).catch((error) => {
          throw new Error(`${what}: ${error.message}`, { cause: error });
        });
      }
      await compareAtSite(port, other, hello({ domain: OTHER }));
      await compareAtSite(port, other, hello({ domain: OTHER.toUpperCase(), secret: random(16) }));
      await compareAtSite(port, site, hello({ domain: "unknown.example.net" }));
      assertEquals(site.visits.length, strangers.length + 1);
      assertEquals(other.visits.length, 2);
    });
  });

  Deno.test(`${name}: a client's hello, used again, is the site's`, async () => {
    await withScene(secrets, async ({ port, site }) => {
      const first = buildClientHello({ secret: tlsKey, domain: DOMAIN });
      const client = await connectSocket(port);
      await FakeTlsClient.greet(client, first, tlsKey);
      await compareAtSite(port, site, first.record);
      // Recorded, and stamped with another time: the four last bytes of `random` are anybody's to change.
      const restamped = first.record.slice();
      restamped[11 + 28] ^= 0x01;
      await compareAtSite(port, site, restamped);
      await compareAtSite(port, site, signHello(first.record, tlsKey, now() + 1));
      // The same in other records.
      await compareAtSite(port, site, splitIntoRecords(first.record, [200, 400]));
      client.close();
    });
  });

  Deno.test(`${name}: ends and aborts pass as what they are`, async () => {
    await withScene(secrets, async ({ port, site }) => {
      // The stranger finishes early: the answer comes all the same.
      const early = await connectSocket(port);
      await early.write(text("GET / HTTP/1.0\r\n\r\n"));
      await early.closeWrite();
      assertEquals((await readAll(early)).length, 18);
      assertEquals(await (await visitWith(site, text("GET / HTTP/1.0\r\n\r\n"))).ended, "fin");
      early.close();
      // Half a hello and an end: nothing more can come, so it is the site's at once.
      const half = hello().subarray(0, 200);
      const cut = await connectSocket(port);
      await cut.write(half);
      await cut.closeWrite();
      assertEquals((await readAll(cut)).length, 200);
      cut.close();
      // The stranger aborts.
      const noise = concat(Uint8Array.of(1), random(99));
      const abrupt = await connectSocket(port, { resettable: true });
      await abrupt.write(noise);
      await abrupt.readExactly(noise.length);
      abrupt.reset();
      assertEquals(await (await visitWith(site, noise)).ended, "reset");
    });
  });
}

Deno.test("silence and half a hello are the site's after ten seconds", async () => {
  const watch = (secrets: string[]) =>
    withScene(secrets, async ({ port, site }) => {
      const started = performance.now();
      const wait = async (bytes: Uint8Array) => {
        const stranger = await connectSocket(port);
        if (bytes.length > 0) await stranger.write(bytes);
        // Not a word before the site is asked.
        assertEquals(await stranger.readBefore(9_000), nothing);
        if (bytes.length > 0) await stranger.readExactly(bytes.length);
        const more = random(100);
        await stranger.write(more);
        await stranger.readExactly(more.length);
        await visitWith(site, concat(bytes, more));
        assert(performance.now() - started < 14_000);
        stranger.close();
      };
      const halves = ["", "16", "16 03 01 02"].map(unhex);
      await Promise.all([...halves, hello().subarray(0, 300)].map(wait));
    });
  await Promise.all(Object.values(ports).map(watch));
});

Deno.test("the site's end and the site's abort are the stranger's", async () => {
  const centre = await DataCentre.start(sink);
  for (const how of ["fin", "reset"] as const) {
    const site = await Site.start(async (visit) => {
      await visit.receive(100);
      await visit.socket.write(new Uint8Array(5000).fill(1));
      if (how === "fin") await visit.socket.closeWrite();
      else {
        // Only when the stranger has everything: a reset overtakes what is on its way.
        await visit.receive(101);
        visit.socket.reset();
      }
      await visit.receive(1000);
    }, { resettable: true });
    await using mtray = await Mtray.startGateway({
      users: [{ secret: ports["ee alone"][0] }],
      dataCenters: { "2": [centre.address] },
      inbound: { fallbacks: [{ dest: site.address }] },
    });
    const stranger = await connectSocket(mtray.port);
    await stranger.write(new Uint8Array(100).fill(2));
    assertEquals((await stranger.readExactly(5000))?.length, 5000);
    if (how === "reset") await stranger.write(Uint8Array.of(3));
    let ended = "nothing";
    try {
      if (await stranger.read() === null) ended = "fin";
    } catch (error) {
      if (error instanceof PeerReset) ended = "reset";
    }
    assertEquals(ended, how);
    stranger.close();
    await site.close();
  }
  assertEquals(centre.accepted, 0);
  await centre.close();
});

Deno.test("a site behind the PROXY protocol learns who the stranger is", async () => {
  const centre = await DataCentre.start(sink);
  for (const xver of [1, 2] as const) {
    const site = await Site.start();
    await using mtray = await Mtray.startGateway({
      users: [{ secret: ports["ee alone"][0] }],
      dataCenters: { "2": [centre.address] },
      inbound: { fallbacks: [{ dest: site.address, xver }] },
    });
    const stranger = await connectSocket(mtray.port);
    await stranger.write(Uint8Array.of(1, 2, 3));
    const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${stranger.localPort} ${mtray.port}\r\n`;
    const portHex = (port: number) => port.toString(16).padStart(4, "0");
    const header = xver === 1 ? text(line) : unhex(
      "0d0a0d0a000d0a515549540a2111000c7f0000017f000001" + portHex(stranger.localPort) + portHex(mtray.port),
    );
    await visitWith(site, concat(header, Uint8Array.of(1, 2, 3)));
    stranger.close();
    await site.close();
  }
  await centre.close();
});

Deno.test("at most 64 strangers are shown the site, and the rest meet silence", async () => {
  const centre = await DataCentre.start(sink);
  const site = await Site.start(answering);
  await using mtray = await Mtray.startGateway({
    users: [{ secret: ports["ee alone"][0] }],
    dataCenters: { "2": [centre.address] },
    inbound: { fallbacks: [{ dest: site.address }] },
    config: { policy: { levels: { "0": { handshake: 2 } } } },
  });
  const strangers: Socket[] = [];
  for (let i = 0; i < 64; i++) {
    const stranger = await connectSocket(mtray.port);
    await stranger.write(Uint8Array.of(1));
    await stranger.readExactly(1);
    strangers.push(stranger);
  }
  const late = await connectSocket(mtray.port);
  await late.write(Uint8Array.of(1));
  assertEquals(await late.readBefore(1_000), nothing);
  assertEquals(await late.read(), null);
  assertEquals(site.visits.length, 64);
  strangers.pop()!.close();
  // A place is free as soon as the relay has noticed.
  for (let patience = 0; site.visits.length < 65; patience++) {
    assert(patience < 100, "the place of a stranger who left is not given to the next");
    const next = await connectSocket(mtray.port);
    strangers.push(next);
    await next.write(Uint8Array.of(1));
    await next.readBefore(100);
  }
  for (const socket of [...strangers, late]) socket.close();
  await Promise.all([centre.close(), site.close()]);
});

Deno.test("fronting may go through an outbound, and passes no rule", async () => {
  const centre = await DataCentre.start(sink);
  const [named, redirected] = await Promise.all([Site.start(answering), Site.start(answering)]);
  await using mtray = await Mtray.startGateway({
    users: [{ secret: ports["ee alone"][0] }],
    dataCenters: { "2": [centre.address] },
    inbound: { fallbacks: [{ dest: named.address, outboundTag: "elsewhere" }] },
    config: {
      outbounds: [
        { tag: "tg-out", protocol: "mtproto", settings: { dataCenters: { "2": [centre.address] } } },
        { tag: "elsewhere", protocol: "freedom", settings: { redirect: redirected.address } },
        { tag: "nowhere", protocol: "blackhole" },
      ],
      routing: {
        rules: [{ port: named.port, outboundTag: "nowhere" }, { network: "tcp", outboundTag: "tg-out" }],
      },
    },
  });
  await compareAtSite(mtray.port, redirected, random(80));
  assertEquals([named.visits.length, centre.accepted], [0, 0]);
  await Promise.all([centre.close(), named.close(), redirected.close()]);
});

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] ^= 1;
  return copy;
}

Deno.test("a stranger who speaks TLS sees the site's own certificate", async () => {
  const certs = new URL("../contract/certs/", import.meta.url);
  const [cert, key] = ["cert.pem", "key.pem"].map((file) => Deno.readTextFileSync(new URL(file, certs)));
  const page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
  const site = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = (async () => {
    const conn = await site.accept();
    await conn.read(new Uint8Array(1000));
    await conn.write(text(page));
    await conn.closeWrite();
    conn.close();
  })();
  await using mtray = await Mtray.startGateway({
    users: [{ secret: `ee${hex(tlsKey)}${hex(text("test.example"))}` }],
    dataCenters: { "2": ["127.0.0.1:1"] },
    inbound: { fallbacks: [{ dest: `127.0.0.1:${site.addr.port}` }] },
  });
  const stranger = connect({ host: "127.0.0.1", port: mtray.port, servername: "test.example", ca: cert });
  const answer = new Promise<string>((resolve, reject) => {
    let said = "";
    stranger.on("data", (bytes) => said += bytes).on("end", () => resolve(said)).on("error", reject);
  });
  stranger.write("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
  assertEquals([await answer, stranger.authorized], [page, true]);
  await serving;
  site.close();
});
