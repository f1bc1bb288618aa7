/**
 * The first bytes of a connection as real clients send them, whole and cut everywhere. A cut is two writes, and the
 * second goes out only after mtray has read the first.
 */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { echo, ECHO_TOKEN, echoPackets } from "../telegram/behaviours.ts";
import { concat, cutAt, equal, random } from "../telegram/bytes.ts";
import { buildClientHello, evenCuts, HELLO_SHAPES, type HelloShape } from "../telegram/client_hello.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { encodeRecords, LARGEST_SEEN_RECORD, USUAL_RECORD, writeApart } from "../telegram/fake_tls.ts";
import { encodePacket, FrameReader, withoutPadding } from "../telegram/framing.ts";
import { LightClient, type LightOptions } from "../telegram/light_client.ts";
import { ABRIDGED, INTERMEDIATE, PADDED, TAGS } from "../telegram/obfuscated2.ts";
import { parseProxyLink, type SecretKind } from "../telegram/proxy_link.ts";
import { nothing } from "../telegram/socket.ts";
import { DOMAIN, forEach, type Gateway, KINDS, withGateway } from "./gateway.ts";

/** The largest record that real TLS 1.3 sends: 16 KiB, a type byte and a tag. */
const LARGEST_RECORD_DOWN = 16_401;

type Links = Gateway["links"];

/** One mtray with all kinds of secret on one port, and a data centre that echoes. */
async function withEcho(body: (links: Links, centre: DataCentre) => Promise<void>): Promise<void> {
  const centre = await DataCentre.start(echo);
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, ({ links }) => body(links, centre));
}

/** Says something and hears it back. */
async function talk(client: LightClient, length = 600): Promise<void> {
  const said = random(length);
  const [heard] = await Promise.all([client.readExactly(length), client.write(said)]);
  assert(equal(heard, said), "the echo differs");
}

/** What a client looks like on the wire, by the program that was seen to do so. */
const CLIENTS: Record<string, { kind: SecretKind; options: LightOptions }> = {
  "TDLib today": { kind: "ee", options: { hello: { shape: "chrome-2025" }, changeCipherSpec: "joined" } },
  "TDLib before 2025, Android, Desktop": {
    kind: "ee",
    options: { hello: { shape: "chrome-2019" }, changeCipherSpec: "joined" },
  },
  "iOS": {
    kind: "ee",
    options: { hello: { shape: "safari-2019" }, recordSize: LARGEST_SEEN_RECORD, changeCipherSpec: "joined" },
  },
  "mtcute": { kind: "ee", options: { hello: { shape: "chrome-2025" }, changeCipherSpec: "alone" } },
  "TDLib with dd": { kind: "dd", options: { tag: PADDED } },
  "gramjs, abridged under dd": { kind: "dd", options: { tag: ABRIDGED } },
  "Telethon, abridged": { kind: "classic", options: { tag: ABRIDGED } },
  "TDLib, intermediate": { kind: "classic", options: { tag: INTERMEDIATE } },
  "padded under a classic secret": { kind: "classic", options: { tag: PADDED } },
};

Deno.test("every known client's first flight is taken", async () => {
  await withEcho(async (links, centre) => {
    for (const [name, { kind, options }] of Object.entries(CLIENTS)) {
      using client = await LightClient.open(links(kind).tg, options);
      await talk(client);
      await talk(client, 200_000);
      const seen = centre.connections.at(-1);
      assertEquals([seen?.tag, seen?.dc, seen?.forbidden], [client.ends.tag, 2, null], name);
    }
    assertEquals(centre.accepted, Object.keys(CLIENTS).length);
  });
});

Deno.test("the header may come alone and the rest two seconds later", async () => {
  await withEcho(async (links) => {
    await Promise.all(KINDS.map(async (kind) => {
      using client = await LightClient.open(links(kind).tg);
      await client.writeWire(client.takeHeader());
      assertEquals(await client.socket.readBefore(2000), nothing, "the proxy must wait and say nothing");
      await talk(client);
    }));
  });
});

Deno.test("records: the largest up are taken, the largest down are those of real TLS, and none is empty", async () => {
  await withEcho(async (links) => {
    for (const recordSize of [1, 100, USUAL_RECORD, 16_384, LARGEST_SEEN_RECORD, 16_640]) {
      using client = await LightClient.open(links("ee").tg, { recordSize });
      const length = recordSize === 1 ? 3_000 : 1_000_000;
      await talk(client, length);
      const largest = client.tls?.largestRecord ?? 0;
      assert(largest <= LARGEST_RECORD_DOWN, `a record of ${largest} bytes came`);
    }
  });
});

Deno.test("a hello in 1 to 10 TLS records, of even and of odd sizes", async () => {
  await withEcho(async (links) => {
    for (const shape of HELLO_SHAPES) {
      const body = helloLength(links, shape) - 5;
      const even = Array.from({ length: 10 }, (_, i) => evenCuts(body, i + 1));
      // The first byte alone, the handshake header cut, the proof cut, ten records, one byte at the end.
      const odd = [[1], [3], [20], [1, 2, 3, 4, 5, 6, 7, 8, 9], [body - 1]];
      await forEach([...even, ...odd], async (recordCuts) => {
        using client = await LightClient.open(links("ee").tg, { hello: { shape }, greet: { recordCuts } });
        await talk(client);
      });
    }
  });
});

/** Of some hello of that shape. They differ by their ECH payload, by up to 96 bytes. */
function helloLength(links: Links, shape: HelloShape): number {
  const { secret } = parseProxyLink(links("ee").tg);
  return buildClientHello({ secret: secret.bytes, domain: DOMAIN, shape }).record.length;
}

/** Every 97th byte, and around what a parser takes for a boundary. */
function cutsOf(length: number, boundaries: readonly number[]): number[] {
  const around = boundaries.flatMap((at) => [at - 1, at, at + 1]);
  const strides = Array.from({ length: Math.floor(length / 97) }, (_, i) => 97 * (i + 1));
  const cuts = new Set([...around, ...strides, 1, length - 1]);
  return [...cuts].filter((at) => at > 0 && at < length).sort((a, b) => a - b);
}

/** Record and handshake header, version, random, session id, cipher list. */
const HELLO_BOUNDARIES = [3, 5, 6, 9, 11, 43, 44, 76, 78];

for (const shape of HELLO_SHAPES) {
  Deno.test(`a ${shape} hello cut everywhere`, async () => {
    await withEcho(async (links) => {
      const cuts = [...cutsOf(helloLength(links, shape) - 100, HELLO_BOUNDARIES), -97, -2, -1];
      const everyByte = Array.from({ length: 80 }, (_, i) => i + 1);
      await forEach([everyByte, ...cuts.map((cut) => [cut])], async (writeCuts) => {
        using client = await LightClient.open(links("ee").tg, { hello: { shape }, greet: { writeCuts } });
        await talk(client);
      });
    });
  });
}

/** The second flight of a FakeTLS client in one piece: ChangeCipherSpec, and records with the header and a payload. */
function flight(client: LightClient, payload: Uint8Array, recordSize: number): Uint8Array {
  const stream = concat(client.takeHeader(), client.ends.up.update(payload));
  return client.tls ? concat(client.tls.changeCipherSpec(), encodeRecords(stream, recordSize)) : stream;
}

for (
  const [kind, tag] of [["classic", INTERMEDIATE], ["classic", ABRIDGED], ["dd", PADDED], [
    "ee",
    PADDED,
  ]] as const
) {
  Deno.test(`the first flight of a ${kind} client with tag ${tag.toString(16)} cut everywhere`, async () => {
    await withEcho(async (links) => {
      const payload = random(500);
      // Two records under ee, so that there is a second record's header to be cut, too.
      const recordSize = 300;
      const length = 64 + payload.length + (kind === "ee" ? 6 + 2 * 5 : 0);
      const boundaries = kind === "ee" ? [3, 6, 9, 11, 75, 311, 316] : [4, 8, 56, 60, 64];
      const everyByte = Array.from({ length: 100 }, (_, i) => i + 1);
      const plans = [everyByte, ...cutsOf(length, boundaries).map((cut) => [cut])];
      await forEach(plans, async (cuts) => {
        using client = await LightClient.open(links(kind).tg, { tag });
        const wire = flight(client, payload, recordSize);
        assertEquals(wire.length, length);
        await writeApart(client.socket, cutAt(wire, cuts));
        assert(equal(await client.readExactly(payload.length), payload), "the echo differs");
      });
    });
  });
}

Deno.test("packets of every framing pass, quick acks and their requests with them", async () => {
  const centre = await DataCentre.start(echoPackets);
  await withGateway({ kinds: KINDS, centres: { "2": centre } }, async ({ links }) => {
    for (const kind of KINDS) {
      for (const tag of kind === "ee" ? [PADDED] : TAGS) {
        using client = await LightClient.open(links(kind).tg, { tag });
        const reader = new FrameReader(tag, "server");
        const next = async () => {
          for (;;) {
            const frame = reader.next();
            if (frame) return frame;
            const bytes = await client.read();
            assert(bytes, "the stream ended");
            reader.push(bytes);
          }
        };
        for (const quickAck of [false, true]) {
          for (const length of [4, 0x7f * 4, 100_000]) {
            const payload = random(length);
            await client.write(encodePacket(tag, payload, { quickAck }));
            if (quickAck) assertEquals(await next(), { kind: "quick ack", token: ECHO_TOKEN });
            const frame = await next();
            assert(frame.kind === "packet" && equal(withoutPadding(tag, frame.data), payload));
          }
        }
      }
    }
  });
});
