/** Where mtray may not load a library of the system, or there is none, it uses what the runtime has. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { echo } from "../telegram/behaviours.ts";
import { concat } from "../telegram/bytes.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { LightClient } from "../telegram/light_client.ts";
import { freePort, gatewayConfig, Mtray, mtrayCommand, runMtray } from "../telegram/mtray_process.ts";
import { pattern } from "../telegram/pattern.ts";
import { KINDS, newSecret } from "../interop/gateway.ts";

const FLAG = "--allow-ffi";
/** Starts what follows without that flag. */
const WITHOUT_FLAG = [
  ...["sh", "-c", `for part; do shift; [ "$part" = ${FLAG} ] || set -- "$@" "$part"; done; exec "$@"`],
  "sh",
];

/** A compiled file has its permissions inside, and Bun has none to take away: there is nothing to try. */
const test = mtrayCommand().includes(FLAG) ? Deno.test : () => {};

test("without the permission for FFI version says what encrypts instead", async () => {
  const command = mtrayCommand().filter((part) => part !== FLAG);
  const { code, stdout, stderr } = await runMtray(["version", "--verbose"], { command });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^ciphers +Web Crypto .*node:crypto/m);
});

for (const kind of KINDS) {
  test(`without the permission for FFI bytes pass as they are (${kind})`, async () => {
    const length = 3_000_000;
    const centre = await DataCentre.start(echo);
    const port = freePort();
    const config = gatewayConfig(port, {
      users: [{ secret: newSecret(kind) }],
      dataCenters: { "2": [centre.address] },
      // Four ciphers, not two.
      outbound: { adoptDownlinkKey: false },
    });
    const mtray = await Mtray.start(config, port, WITHOUT_FLAG);
    const [{ tg }] = await mtray.links();
    {
      using client = await LightClient.open(tg);
      const [, received] = await Promise.all([
        (async () => {
          for (const at of [0, 100]) await client.write(pattern(at, at === 0 ? 100 : length - at));
          await client.closeWrite();
        })(),
        readAll(client),
      ]);
      assertEquals(received.length, length);
      const expected = pattern(0, length);
      assertEquals(received.findIndex((byte, i) => byte !== expected[i]), -1);
    }
    const { code, stderr } = await mtray.stop();
    assertEquals([code, /panic|unhandled|Uncaught/i.test(stderr)], [0, false], stderr);
    await centre.close();
  });
}

async function readAll(client: LightClient): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await client.read(); bytes !== null; bytes = await client.read()) parts.push(bytes);
  return concat(...parts);
}
