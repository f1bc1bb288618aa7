/** What `init`, `test` and `run --init` say of a chain that works: mtray at both ends of VMess, a data centre behind. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { DataCentre } from "../telegram/data_centre.ts";
import { MtprotoServer } from "../telegram/mtproto_server.ts";
import { inFolder } from "./folder.ts";
import { freePort, mtray, Program } from "./program.ts";

const USER = "27848739-7e62-4138-9fd3-098a63964b6b";

/** A VMess server behind WebSocket whose every connection ends in the data centre. */
function serverConfig(port: number, centre: string): string {
  return JSON.stringify({
    inbounds: [{
      tag: "vmess-in",
      listen: "127.0.0.1",
      port,
      protocol: "vmess",
      settings: { clients: [{ id: USER }] },
      streamSettings: { network: "ws", wsSettings: { path: "/chat" } },
    }],
    outbounds: [{ tag: "out", protocol: "freedom", settings: { redirect: centre } }],
  });
}

Deno.test("a link is a config, and the probe goes through its server", () =>
  inFolder(async (folder) => {
    const centre = await DataCentre.start(new MtprotoServer().serve);
    const programs: Program[] = [];
    try {
      const [serverPort, port] = [freePort(), freePort()];
      Deno.writeTextFileSync(join(folder, "server.json"), serverConfig(serverPort, centre.address));
      const server = new Program(folder, ["run", "-c", "server.json"]);
      programs.push(server);
      await server.says(/is running: vmess-in/);

      const link = `vmess://${USER}@127.0.0.1:${serverPort}?type=ws&path=%2Fchat&encryption=aes-128-gcm#home`;
      assertEquals((await mtray(folder, ["init", "--vmess", link, "--domain", "www.example.com"])).code, 0);
      const name = join(folder, "config.jsonc");
      Deno.writeTextFileSync(name, Deno.readTextFileSync(name).replace('"port": 8443', `"port": ${port}`));
      const tested = await mtray(folder, ["test", "--strict"]);
      assertEquals([tested.code, tested.stderr], [0, "Using ./config.jsonc.\n"]);
      assertMatch(tested.stdout, /\n +outbound +vmess-out: vmess over ws\n/);
      assertMatch(tested.stdout, /\n +chain +vmess-out \(ws\) → tg-out \(to Telegram\)\n$/);

      const gateway = new Program(folder, ["run", "--init"]);
      programs.push(gateway);
      assertMatch(
        await gateway.says(/Telegram (answers|does not).*/),
        /^Telegram answers through vmess-out\.$/,
      );
    } finally {
      for (const program of programs) program.kill("SIGTERM");
      for (const program of programs) await program.finished();
      await centre.close();
    }
  }));
