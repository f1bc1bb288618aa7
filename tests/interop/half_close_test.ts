/**
 * One direction ends before the other. Between mtray and mtray the end itself passes; V2Ray 4.34 never passes one on,
 * so with it in the way there is only what must not be lost.
 */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { equal } from "../telegram/bytes.ts";
import { pattern } from "../telegram/pattern.ts";
import { config, door, freedom, type Transport, vmessInbound, vmessOutbound } from "../v2ray/config.ts";
import { ask, askAndFinish } from "../v2ray/drivers.ts";
import { Ports } from "../v2ray/ports.ts";
import { needsV2ray, type ProgramName, provesTests, withPrograms } from "../v2ray/process.ts";
import { answerAfterEnd, download, type Serve, Server } from "../v2ray/servers.ts";

/** Long enough to fill every buffer on the way. */
const ANSWER = 8_000_000;

/** Seconds that either side may go on alone; V2Ray's default is one, and it takes off whatever is left. */
const policy = { policy: { levels: { "0": { uplinkOnly: 20, downlinkOnly: 20 } } } };

interface Way {
  client: ProgramName;
  server: ProgramName;
  transport: Transport;
}

/** Client, server and what stands behind it; the body is handed the port in front. */
async function withWay(
  { client, server, transport }: Way,
  serve: Serve,
  body: (port: number) => Promise<void>,
): Promise<void> {
  using ports = new Ports();
  await using behind = await Server.start(serve);
  await withPrograms(async (start) => {
    const [front, vmess] = [ports.take(), ports.take()];
    await start(server, config([vmessInbound("in", vmess, transport)], [freedom], policy), { tcp: [vmess] });
    const outbounds = [vmessOutbound("out", vmess, { transport })];
    await start(client, config([door("door", front, behind.port)], outbounds, policy), { tcp: [front] });
    await body(front);
  });
}

// A WebSocket has no end of one direction, but VMess has one of its own inside it.
for (const transport of ["tcp", "tls", "ws"] as const) {
  Deno.test(`over ${transport} the end passes both hops, and the answer after it arrives whole`, async () => {
    const request = pattern(0, 1_000_000, 3);
    let received: Uint8Array | null = null;
    const serve = answerAfterEnd(ANSWER, (bytes) => received = bytes);
    await withWay({ client: "mtray", server: "mtray", transport }, serve, async (port) => {
      assert(equal(await ask(port, request), pattern(0, ANSWER)), "the answer differs");
      assert(received !== null && equal(received, request), "the request differs");
    });
  });
}

const WITH_V2RAY: readonly [ProgramName, ProgramName][] = [
  ["mtray", "v2ray"],
  ["v2ray", "mtray"],
  ...(provesTests ? [["v2ray", "v2ray"] as [ProgramName, ProgramName]] : []),
];

for (const [client, server] of WITH_V2RAY) {
  Deno.test({
    name: `a download goes on after the client's end: ${client} as client, ${server} as server`,
    ...needsV2ray,
    async fn() {
      const finished = Promise.withResolvers<void>();
      const serve = download(ANSWER, finished.promise);
      await withWay({ client, server, transport: "tcp" }, serve, async (port) => {
        const answer = await askAndFinish(port, finished.resolve);
        assertEquals(answer.length, ANSWER);
        assert(equal(answer, pattern(0, ANSWER)), "the download differs");
      });
    },
  });
}
