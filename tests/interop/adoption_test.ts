/** Whose key the data centre encrypts its answers with. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { echo } from "../telegram/behaviours.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { LightClient } from "../telegram/light_client.ts";
import { pattern, PatternCheck } from "../telegram/pattern.ts";
import { KINDS, withGateway } from "./gateway.ts";

// "auto" adopts here, because the client's address is a private one.
for (const [adoptDownlinkKey, expected] of [["auto", true], [true, true], [false, false]] as const) {
  Deno.test(`adoptDownlinkKey ${adoptDownlinkKey}: the client's key is ${expected ? "" : "not "}the data centre's`, async () => {
    const centre = await DataCentre.start(echo);
    await withGateway(
      { kinds: KINDS, centres: { "2": centre }, outbound: { adoptDownlinkKey } },
      async ({ links }) => {
        for (const [i, kind] of KINDS.entries()) {
          using client = await LightClient.open(links(kind).tg);
          const length = 300_000;
          const check = new PatternCheck(i);
          const sent = client.write(pattern(0, length, i));
          check.push(await client.readExactly(length));
          await sent;
          assertEquals((await centre.connection(i)).adopts(client.downlink), expected, kind);
        }
      },
    );
  });
}
