/** A real Telegram client through mtray to a data centre, with each kind of secret; then two hundred at once. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { echo } from "../telegram/behaviours.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { LightClient } from "../telegram/light_client.ts";
import { MtprotoServer } from "../telegram/mtproto_server.ts";
import { runClient } from "../telegram/mtcute_client.ts";
import { INTERMEDIATE, PADDED } from "../telegram/obfuscated2.ts";
import { pattern, PatternCheck } from "../telegram/pattern.ts";
import { type Gateway, KINDS, withGateway } from "./gateway.ts";

const MEGABYTE = 1 << 20;

for (const kind of KINDS) {
  Deno.test(`a real client makes its key and moves a megabyte each way with a ${kind} secret`, async () => {
    const server = new MtprotoServer();
    const centre = await DataCentre.start(server.serve);
    await withGateway({ kinds: [kind], centres: { "2": centre } }, async ({ links }) => {
      const run = await runClient(links(kind).tg, server);
      assertEquals([run.up, run.down], [MEGABYTE, MEGABYTE]);
      // Files over connections of their own ask for the media data centre.
      const media = await runClient(links(kind).https, server, { connections: "separate" });
      assertEquals([media.up, media.down], [MEGABYTE, MEGABYTE]);
      assertEquals([server.keysMade, server.rpc.unknown], [2, []]);
      const ids = new Set(centre.connections.map(({ dc }) => dc));
      assertEquals([...ids].sort(), [-2, 2]);
      for (const { tag, forbidden } of centre.connections) {
        assertEquals([tag, forbidden], [kind === "classic" ? INTERMEDIATE : PADDED, null]);
      }
    });
  });
}

Deno.test("two hundred clients at once, ten of them real", async () => {
  const server = new MtprotoServer();
  const centres = { "2": await DataCentre.start(server.serve), "3": await DataCentre.start(echo) };
  await withGateway({ kinds: KINDS, centres }, async (gateway) => {
    const real = Array.from({ length: 10 }, (_, i) => {
      return runClient(gateway.links(KINDS[i % 3]).tg, server, { bytes: 100_000, deadline: 60_000 });
    });
    const light = Array.from({ length: 190 }, (_, i) => converse(gateway, i));
    const results = await Promise.allSettled([...real, ...light]);
    const failed = results.flatMap((result) => result.status === "rejected" ? [String(result.reason)] : []);
    assertEquals(failed, []);
    assertEquals([server.keysMade, centres["3"].connections.length], [10, 190]);
    assert(centres["3"].connections.every(({ forbidden, dc }) => forbidden === null && dc === 3));
  });
});

/** One light client: says 64 KiB of its own, hears them back, finishes. */
async function converse({ links }: Gateway, index: number): Promise<void> {
  const length = 64 * 1024;
  using client = await LightClient.open(links(KINDS[index % 3]).tg, { dc: 3 });
  await client.write(pattern(0, length, index));
  const check = new PatternCheck(index);
  check.push(await client.readExactly(length));
  await client.closeWrite();
  assertEquals(await client.read(), null);
}
