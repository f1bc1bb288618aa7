/** What passes once a client is in: ends, aborts, clients that do not read, peers that vanish. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { answerAfterEnd, echo, finishFirst, mute, reset, sink, source } from "../telegram/behaviours.ts";
import { concat } from "../telegram/bytes.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { LightClient } from "../telegram/light_client.ts";
import { freePort, gatewayConfig, Mtray, runMtray } from "../telegram/mtray_process.ts";
import { pattern } from "../telegram/pattern.ts";
import { PeerReset } from "../telegram/socket.ts";
import { KINDS, newSecret, withGateway } from "../interop/gateway.ts";
import type { SecretKind } from "../telegram/proxy_link.ts";

async function readAll(client: LightClient): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await client.read(); bytes !== null; bytes = await client.read()) parts.push(bytes);
  return concat(...parts);
}

Deno.test("the client finishes first: the data centre sees the end, and its answer arrives whole", async () => {
  const centre = await DataCentre.start(answerAfterEnd(3_000_000, 5));
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, async ({ links }) => {
    for (const kind of KINDS) {
      using client = await LightClient.open(links(kind).tg);
      await client.write(pattern(0, 1_000_000));
      await client.closeWrite();
      assertEquals(await readAll(client), pattern(0, 3_000_000, 5));
      const connection = centre.connections.at(-1)!;
      assertEquals([connection.bytesUp, await connection.ended], [1_000_000, "fin"]);
    }
  });
});

Deno.test("the data centre finishes first: the client sees the end, and its upload goes on", async () => {
  const centre = await DataCentre.start(finishFirst(500_000, 6));
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, async ({ links }) => {
    for (const [index, kind] of KINDS.entries()) {
      using client = await LightClient.open(links(kind).tg);
      await client.write(pattern(0, 10));
      assertEquals(await readAll(client), pattern(0, 500_000, 6));
      await client.write(pattern(10, 2_000_000));
      await client.closeWrite();
      const connection = await centre.connection(index);
      assertEquals([await connection.ended, connection.bytesUp], ["fin", 2_000_010]);
    }
  });
});

Deno.test("an abort by the data centre is an abort to the client", async () => {
  const centre = await DataCentre.start(reset(100), { resettable: true });
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, async ({ links }) => {
    for (const kind of KINDS) {
      using client = await LightClient.open(links(kind).tg);
      await client.write(new Uint8Array(100));
      let seen = "nothing";
      try {
        if (await client.read() === null) seen = "an end";
      } catch (error) {
        if (error instanceof PeerReset) seen = "a reset";
      }
      assertEquals(seen, "a reset");
    }
  });
});

Deno.test("an abort by the client is an abort to the data centre", async () => {
  const centre = await DataCentre.start(sink);
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, async ({ links }) => {
    for (const [index, kind] of KINDS.entries()) {
      const client = await LightClient.open(links(kind).tg, { resettable: true });
      await client.write(new Uint8Array(1000));
      const connection = await centre.connection(index);
      for (let patience = 0; connection.bytesUp < 1000; patience++) {
        assert(patience < 500);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      client.socket.reset();
      assertEquals(await connection.ended, "reset");
    }
  });
});

Deno.test("a client that vanished without a word is let go after connIdle", async () => {
  const centre = await DataCentre.start(sink);
  const mtray = await Mtray.startGateway({
    users: [{ secret: newSecret("classic") }],
    dataCenters: { "2": [centre.address] },
    config: { policy: { levels: { "0": { connIdle: 1 } } } },
  });
  const [{ tg }] = await mtray.links();
  using client = await LightClient.open(tg);
  await client.write(new Uint8Array(4));
  // The client's machine is gone as far as anybody can tell: it neither sends nor closes.
  assertEquals(await (await centre.connection(0)).ended, "fin");
  assertEquals((await mtray.stop()).code, 0);
  await centre.close();
});

const GIGABYTE = 1_000_000_000;
/** Megabytes that mtray may grow by for one client that reads nothing, and for a hundred. */
const FOR_ONE = 2, FOR_HUNDRED = 60;

for (const kind of ["classic", "ee"] as SecretKind[]) {
  Deno.test(`a client that does not read costs little, however much there is for it (${kind})`, async () => {
    const centre = await DataCentre.start(source(GIGABYTE));
    await withGateway({ kinds: [kind], centres: { "2": centre } }, async ({ mtray, links }) => {
      const stalled: LightClient[] = [];
      const growthFor = async (clients: number) => {
        const before = await mtray.memory();
        stalled.push(...await Promise.all(Array.from({ length: clients }, () => open(links(kind).tg))));
        await atRest(centre);
        return (await mtray.memory() - before) / 1e6;
      };
      // What the very first costs is not measured: code that is compiled, buffers that are kept for the next.
      await growthFor(1);
      // The garbage collector has moods of a megabyte or two: one after the other, and the one in the middle.
      const each: number[] = [];
      while (each.length < 3) each.push(await growthFor(1));
      const one = each.toSorted((a, b) => a - b)[1];
      assert(one < FOR_ONE, `a client that does not read costs ${one.toFixed(1)} MB`);
      const hundred = await growthFor(100);
      assert(hundred < FOR_HUNDRED, `100 clients that do not read cost ${hundred.toFixed(1)} MB`);
      for (const client of stalled) client.close();
    });
  });
}

async function open(link: string): Promise<LightClient> {
  const client = await LightClient.open(link);
  await client.write(new Uint8Array(4));
  return client;
}

/** Waits until the data centre has not been able to send anything for a while: every buffer on the way is full. */
async function atRest(centre: DataCentre): Promise<void> {
  const sent = () => centre.connections.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
  for (let before = -1, still = 0; still < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    still = sent() === before && before > 0 ? still + 1 : 0;
    before = sent();
  }
}

Deno.test("a data centre that says nothing, and one that echoes, for every framing", async () => {
  const [quiet, chatty] = await Promise.all([DataCentre.start(mute), DataCentre.start(echo)]);
  await withGateway({ kinds: KINDS, centres: { "1": quiet, "2": chatty } }, async ({ links }) => {
    for (const tag of [0xef, 0xee, 0xdd]) {
      for (const kind of KINDS) {
        using client = await LightClient.open(links(kind).tg, { tag });
        using other = await LightClient.open(links(kind).tg, { tag, dc: -1 });
        await other.write(new Uint8Array(8));
        await client.write(pattern(0, 70_000));
        assertEquals(await client.readExactly(70_000), pattern(0, 70_000));
      }
    }
    assertEquals(quiet.connections.map(({ dc }) => dc), Array(9).fill(-1));
    assertEquals(new Set(chatty.connections.map(({ tag }) => tag)), new Set([0xef, 0xee, 0xdd]));
  });
});

Deno.test("a chain: what one outbound dials, another carries", async () => {
  const centre = await DataCentre.start(echo);
  const port = freePort();
  const config = {
    ...gatewayConfig(port, { users: [{ secret: newSecret("dd") }], dataCenters: {} }),
    outbounds: [
      // The data centre's own address would not be reached: only the hop below knows where it really is.
      { tag: "tg-out", protocol: "mtproto", proxySettings: { tag: "middle" } },
      { tag: "middle", protocol: "freedom", proxySettings: { tag: "last" } },
      { tag: "last", protocol: "freedom", settings: { redirect: centre.address } },
    ],
  };
  const mtray = await Mtray.start(config, port);
  const [{ tg }] = await mtray.links();
  using client = await LightClient.open(tg);
  await client.write(pattern(0, 100_000));
  assertEquals(await client.readExactly(100_000), pattern(0, 100_000));
  const { stdout } = await runMtray(["test", "-c", mtray.configFile]);
  assert(stdout.includes("last → middle → tg-out"), stdout);
  const log = await mtray.stop();
  assertEquals(log.code, 0);
  assert(log.stdout.includes("[tg-in -> tg-out]"), log.stdout);
  await centre.close();
});
