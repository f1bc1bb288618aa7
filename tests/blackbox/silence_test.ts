/** Those who can no longer, or never could, be shown a site: they meet silence until the handshake's time is over. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { echo, sink } from "../telegram/behaviours.ts";
import { concat, hex, random, unhex } from "../telegram/bytes.ts";
import { buildClientHello } from "../telegram/client_hello.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { encodeRecords, FakeTlsClient } from "../telegram/fake_tls.ts";
import { freePort, gatewayConfig, Mtray } from "../telegram/mtray_process.ts";
import { type Ends, initiate } from "../telegram/obfuscated2.ts";
import { connectSocket, nothing, type Socket } from "../telegram/socket.ts";

const DOMAIN = "www.example.org";
const key = random(16);
const HANDSHAKE = 2;
const policy = { policy: { levels: { "0": { handshake: HANDSHAKE } } } };

/** Nothing comes for most of the handshake's time, and then an end, not a reset. */
async function expectSilence(socket: Socket, since: number): Promise<void> {
  assertEquals(await socket.readBefore(HANDSHAKE * 1000 - 500 - (performance.now() - since)), nothing);
  assertEquals(await socket.read(), null);
  const took = performance.now() - since;
  assert(took > HANDSHAKE * 1000 - 100 && took < HANDSHAKE * 1000 + 3000, `it ended after ${took} ms`);
  socket.close();
}

async function silentPlainPort(secret: string, flights: Uint8Array[]): Promise<void> {
  const centre = await DataCentre.start(sink);
  await using mtray = await Mtray.startGateway({
    users: [{ secret }],
    dataCenters: { "2": [centre.address] },
    config: policy,
  });
  await Promise.all(flights.map(async (flight) => {
    const socket = await connectSocket(mtray.port);
    const since = performance.now();
    if (flight.length > 0) await socket.write(flight);
    await expectSilence(socket, since);
  }));
  assertEquals(centre.accepted, 0);
  await centre.close();
}

Deno.test("a port without a site: whatever is no client meets silence, and nobody is reset", async () => {
  const text = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".padEnd(100, "."));
  const flights = [
    new Uint8Array(),
    random(10),
    random(63),
    initiate({ tag: 0xee, dc: 2, secret: random(16) }).header,
    concat(Uint8Array.of(1), random(5000)),
    text,
    buildClientHello({ secret: key, domain: DOMAIN }).record,
  ];
  await silentPlainPort(hex(key), flights);
  await silentPlainPort(`dd${hex(key)}`, flights);
});

Deno.test("a port without a site: a header that was used before relays nothing", async () => {
  const centre = await DataCentre.start(echo);
  await using mtray = await Mtray.startGateway({
    users: [{ secret: hex(key) }],
    dataCenters: { "2": [centre.address] },
    config: policy,
  });
  const client = initiate({ tag: 0xee, dc: 2, secret: key });
  const first = await connectSocket(mtray.port);
  await first.write(concat(client.header, client.up.update(random(8))));
  assertEquals((await first.readExactly(8))?.length, 8);
  const replays = [[], [0], [7], [60], [61]].map((flips) => {
    const header = client.header.slice();
    for (const at of flips) header[at] ^= 0x20;
    return header;
  });
  await Promise.all(replays.map(async (header) => {
    const socket = await connectSocket(mtray.port);
    const since = performance.now();
    await socket.write(concat(header, random(100)));
    await expectSilence(socket, since);
  }));
  assertEquals(centre.accepted, 1);
  first.close();
  await centre.close();
});

Deno.test("a valid hello without a valid header: silence until the handshake's time is over", async () => {
  const centre = await DataCentre.start(echo);
  const secret = `ee${hex(key)}${hex(new TextEncoder().encode(DOMAIN))}`;
  await using mtray = await Mtray.startGateway({
    users: [{ secret }],
    dataCenters: { "2": [centre.address] },
    inbound: { fallbacks: [{ dest: "127.0.0.1:1" }] },
    config: policy,
  });
  const greet = async () => {
    const socket = await connectSocket(mtray.port);
    const hello = buildClientHello({ secret: key, domain: DOMAIN });
    return await FakeTlsClient.greet(socket, hello, key);
  };
  // One header is used in good order, and then tried again behind another hello.
  const used: Ends = initiate({ tag: 0xdd, dc: 2, secret: key });
  const client = await greet();
  await client.write(concat(used.header, used.up.update(random(8))));
  assertEquals((await client.read())?.length, 8);

  const change = unhex("14 03 03 00 01 01");
  const flights = [
    new Uint8Array(),
    change,
    concat(change, encodeRecords(random(63))),
    concat(change, encodeRecords(random(64))),
    concat(change, encodeRecords(used.header)),
    concat(change, change),
    unhex("15 03 03 00 02 02 28"),
    unhex("17 03 03 41 01"),
    random(200),
  ];
  await Promise.all(flights.map(async (flight) => {
    const { socket } = await greet();
    const since = performance.now();
    if (flight.length > 0) await socket.write(flight);
    await expectSilence(socket, since);
  }));
  // Records without a byte in them, without end: the time is over all the same.
  const { socket } = await greet();
  const since = performance.now();
  const empty = concat(...Array(1000).fill(unhex("17 03 03 00 00")));
  let ended = false;
  while (!ended && performance.now() - since < 10_000) {
    ended = await socket.write(empty).then(() => false, () => true);
  }
  assert(ended && performance.now() - since < HANDSHAKE * 1000 + 3000, "empty records outlast the deadline");
  socket.close();

  assertEquals(centre.accepted, 1);
  client.socket.close();
  await centre.close();
});

Deno.test("an id found nowhere is refused, and the log says why", async () => {
  const centre = await DataCentre.start(echo);
  const mtray = await Mtray.startGateway({
    users: [{ secret: hex(key), email: "me" }],
    dataCenters: { "2": [centre.address] },
    config: { log: { loglevel: "info" } },
  });
  const socket = await connectSocket(mtray.port);
  const { header } = initiate({ tag: 0xee, dc: 77, secret: key });
  await socket.write(header);
  assertEquals(await socket.read(), null);
  socket.close();
  const { stdout, stderr, code } = await mtray.stop();
  assertEquals(code, 0);
  assert(
    `${stdout}${stderr}`.includes("cannot connect to data centre 77: no address is known for it email: me"),
  );
  assertEquals(centre.accepted, 0);
  await centre.close();
});

Deno.test("a stop ends every kind of connection in good time", async () => {
  const centre = await DataCentre.start(echo);
  const secret = `ee${hex(key)}${hex(new TextEncoder().encode(DOMAIN))}`;
  const mtray = await Mtray.startGateway({
    users: [{ secret }, { secret: hex(random(16)) }],
    dataCenters: { "2": [centre.address] },
    inbound: { fallbacks: [{ dest: centre.address }] },
  });
  const silent = await connectSocket(mtray.port);
  const stranger = await connectSocket(mtray.port);
  await stranger.write(random(100));
  const hello = buildClientHello({ secret: key, domain: DOMAIN });
  const greeted = await FakeTlsClient.greet(await connectSocket(mtray.port), hello, key);
  const ends = initiate({ tag: 0xdd, dc: 2, secret: key });
  const again = buildClientHello({ secret: key, domain: DOMAIN });
  const client = await FakeTlsClient.greet(await connectSocket(mtray.port), again, key);
  await client.write(concat(ends.header, ends.up.update(random(8))));
  assertEquals((await client.read())?.length, 8);
  const since = performance.now();
  const { code } = await mtray.stop();
  const took = performance.now() - since;
  assertEquals(code, 0);
  assert(took < 3_500, `it took ${took} ms`);
  for (const socket of [silent, greeted.socket, client.socket]) {
    assertEquals(await socket.read(), null);
    socket.close();
  }
  stranger.close();
  await centre.close({ ignoreFailures: true });
});

Deno.test("more connections than there are descriptors: nothing spins, and afterwards all is well", async () => {
  const centre = await DataCentre.start(echo);
  const port = freePort();
  const config = gatewayConfig(port, {
    users: [{ secret: hex(key) }],
    dataCenters: { "2": [centre.address] },
  });
  const limited = ["sh", "-c", 'ulimit -n 128; exec "$@"', "sh"];
  const mtray = await Mtray.start({ ...config, log: { access: "none", error: "none" } }, port, limited);
  const crowd = await Promise.all(Array.from({ length: 200 }, () => connectSocket(port).catch(() => null)));
  const before = await mtray.processorTime();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const spent = await mtray.processorTime() - before;
  assert(spent < 0.5, `${spent} s of processor time in a second of nothing`);
  for (const socket of crowd) socket?.close();
  // As soon as the crowd's places are free, a client is served.
  for (let served = false, patience = 0; !served; patience++) {
    assert(patience < 50, "no client is served after the crowd has left");
    try {
      const socket = await connectSocket(port);
      const ends = initiate({ tag: 0xee, dc: 2, secret: key });
      await socket.write(concat(ends.header, ends.up.update(random(8))));
      served = (await socket.readExactly(8))?.length === 8;
      socket.close();
    } catch { /* Reset: there is no place yet. */ }
    if (!served) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals((await mtray.stop()).code, 0);
  await centre.close({ ignoreFailures: true });
});
