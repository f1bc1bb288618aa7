/**
 * The config that mtray exists for, as its user wrote it: mtproto in, mtproto out, carried by VMess. Only addresses,
 * ports and ids are changed. A real Telegram client in front, a data centre behind, and mtray or V2Ray in both of
 * the places between.
 */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { hex } from "../telegram/bytes.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { LightClient } from "../telegram/light_client.ts";
import { runClient } from "../telegram/mtcute_client.ts";
import { MtprotoServer } from "../telegram/mtproto_server.ts";
import type { SecretKind } from "../telegram/proxy_link.ts";
import { config, USER, vmessInbound } from "../v2ray/config.ts";
import { Ports } from "../v2ray/ports.ts";
import { needsV2ray, type ProgramName, provesTests, withPrograms } from "../v2ray/process.ts";
import { Tap } from "../v2ray/tap.ts";
import { KINDS, newSecret } from "./gateway.ts";

const MEGABYTE = 1 << 20;

const seed = Deno.readTextFileSync(join(ROOT, "tests", "interop", "seed_gateway.jsonc"));

interface Places {
  listen: number;
  secret: string;
  server: number;
}

/** The user's text with other addresses, ports and ids. */
function gatewayText({ listen, secret, server }: Places): string {
  const replacements: [string, string][] = [
    [`"port": 443,\n      "protocol": "mtproto"`, `"port": ${listen},\n      "protocol": "mtproto"`],
    ["b0cbcef5a486d9636472ac27f8e11a9d", secret],
    [
      `"address": "v2ray.com",\n          "port": 443,`,
      `"address": "127.0.0.1",\n          "port": ${server},`,
    ],
    ["27848739-7e62-4138-9fd3-098a63964b6b", USER],
  ];
  return replacements.reduce((text, [before, after]) => {
    assertEquals(text.split(before).length, 2, `${before} must stand in the config once`);
    return text.replace(before, after);
  }, seed);
}

interface Combination {
  gateway: ProgramName;
  server: ProgramName;
}

const COMBINATIONS: readonly Combination[] = [
  { gateway: "mtray", server: "mtray" },
  { gateway: "mtray", server: "v2ray" },
  { gateway: "v2ray", server: "mtray" },
  ...(provesTests ? [{ gateway: "v2ray", server: "v2ray" } as const] : []),
];

for (const { gateway, server } of COMBINATIONS) {
  // V2Ray 4.34 knows one kind of secret only.
  const kinds = gateway === "mtray" ? KINDS : ["classic" as const];
  const { ignore } = [gateway, server].includes("v2ray") ? needsV2ray : { ignore: false };
  Deno.test({
    name: `the user's config: ${gateway} as gateway, ${server} as VMess server`,
    ignore,
    fn: () => withChain({ gateway, server, kinds }),
  });
}

async function withChain({ gateway, server, kinds }: Combination & { kinds: readonly SecretKind[] }) {
  using ports = new Ports();
  const telegram = new MtprotoServer();
  const centre = await DataCentre.start(telegram.serve);
  try {
    await withPrograms(async (start) => {
      const vmess = ports.take();
      const outbound = { protocol: "freedom", settings: { redirect: centre.address } };
      await start(server, config([vmessInbound("in", vmess)], [outbound]), { tcp: [vmess] });
      await using tap = await Tap.start(vmess);
      const clients = await Promise.all(kinds.map(async (kind) => {
        const [listen, secret] = [ports.take(), newSecret(kind)];
        await start(gateway, gatewayText({ listen, secret, server: tap.port }), { tcp: [listen] });
        return `tg://proxy?server=127.0.0.1&port=${listen}&secret=${secret}`;
      }));
      const adopting = [];
      for (const [index, link] of clients.entries()) adopting.push(await adopts(link, centre, index));
      assertEquals(
        adopting,
        clients.map(() => gateway === "mtray"),
        "whose key the data centre encrypts with",
      );
      for (const { up, down } of await Promise.all(clients.map((link) => runClient(link, telegram)))) {
        assertEquals([up, down], [MEGABYTE, MEGABYTE]);
      }
      assertEquals([telegram.keysMade, telegram.rpc.unknown], [clients.length, []]);
      assertHidden(tap, centre);
    });
  } finally {
    await centre.close();
  }
}

/** Whether the data centre encrypts with the key that the client decrypts with. */
async function adopts(link: string, centre: DataCentre, index: number): Promise<boolean> {
  using client = await LightClient.open(link);
  await client.writeWire(client.takeHeader());
  return (await centre.connection(index)).adopts(client.downlink);
}

/** What the data centre was sent first is nowhere to be seen on the wire between the gateway and the VMess server. */
function assertHidden({ passages }: Tap, { connections }: DataCentre): void {
  assert(
    connections.length > 0 && passages.length >= connections.length,
    "the way was not by the VMess server",
  );
  const wires = passages.map(({ up }) => hex(up));
  for (const { header } of connections) {
    const beginning = hex(header.subarray(0, 16));
    assert(wires.every((wire) => !wire.includes(beginning)), "the mtproto header is on the wire as it is");
  }
}
