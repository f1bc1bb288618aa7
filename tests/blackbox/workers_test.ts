/** Several routers in one process: they share ports, what they know of replays, the log, and their end. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { bundle } from "../tasks/bundle.ts";
import { ROOT } from "../tasks/paths.ts";
import { echo as centreEcho } from "../telegram/behaviours.ts";
import { concat, hex, random } from "../telegram/bytes.ts";
import { buildClientHello } from "../telegram/client_hello.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { untilShared } from "../telegram/kernel_queue.ts";
import { freePort, gatewayConfig, Mtray, mtrayCommand, runMtray } from "../telegram/mtray_process.ts";
import { initiate } from "../telegram/obfuscated2.ts";
import { Site } from "../telegram/site.ts";
import { connectSocket, type Socket } from "../telegram/socket.ts";
import { echoDatagrams } from "../v2ray/drivers.ts";
import { DatagramEcho, echo, Server } from "../v2ray/servers.ts";

/** So many that they do not all go to one of two workers: the system spreads them by their source port. */
const MANY = 40;

const door = (port: number, echoPort: number, network = "tcp,udp") => ({
  workers: 2,
  log: { loglevel: "debug" },
  inbounds: [{
    tag: "door",
    listen: "127.0.0.1",
    port,
    protocol: "dokodemo-door",
    settings: { address: "127.0.0.1", port: echoPort, network },
  }],
  outbounds: [{ tag: "direct", protocol: "freedom" }],
});

const many = <T>(make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: MANY }, (_, index) => make(index)));

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mtray-workers-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function write(folder: string, config: unknown, name = "config.json"): string {
  const path = join(folder, name);
  Deno.writeTextFileSync(path, JSON.stringify(config));
  return path;
}

/** What stands behind a pattern's group, of every line that has it. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, group]) => group);
}

function bindDatagrams(port: number) {
  const socket = createSocket("udp4");
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, "127.0.0.1", () => resolve(socket));
  });
}

Deno.test("version --verbose: four workers are four routers and no more", () =>
  inFolder(async (folder) => {
    const config = write(folder, { ...door(freePort(), 9), workers: 4 });
    const { code, stdout, stderr } = await runMtray(["version", "--verbose", "-c", config]);
    assertEquals([code, stderr], [0, ""]);
    const [, runtime] = /^runtime +(.*)$/m.exec(stdout)!;
    const [, ciphers] = /^ciphers +(.*)$/m.exec(stdout)!;
    const routers = [1, 2, 3, 4].map((number) => `router ${number}  ${runtime}, ciphers from ${ciphers}\n`);
    assert(stdout.endsWith(`\nciphers   ${ciphers}\n${routers.join("")}`), stdout);
    assertEquals(stdout.match(/^mtray /gm)?.length, 1);
  }));

Deno.test("two workers serve TCP and UDP, log to one place, and stop together", async () => {
  await using server = await Server.start(echo);
  await using _echo = await DatagramEcho.start(server.port);
  const port = freePort();
  const mtray = await Mtray.start(door(port, server.port), port);
  await untilShared(port, 2);
  const clients = await many(() => connectSocket(port));
  await Promise.all(clients.map(async (client, index) => {
    await client.write(Uint8Array.of(index));
    assertEquals(await client.readExactly(1), Uint8Array.of(index));
  }));
  const sources = 8;
  // Few at a time: where one worker takes all datagrams, 64 of them may wait.
  await Promise.all(Array.from({ length: sources }, () => echoDatagrams(port, { count: 10, window: 2 })));
  const { code, stdout, stderr } = await mtray.stop();
  assertEquals(code, 0, stderr);
  for (const client of clients) {
    assertEquals(await client.read(), null);
    client.close();
  }
  Deno.listen({ hostname: "127.0.0.1", port }).close();
  (await bindDatagrams(port)).close();

  const log = stdout + stderr;
  for (const line of log.trimEnd().split("\n")) {
    const stamp =
      /^\d{4}(\/\d\d){2} \d\d(:\d\d){2} (\[(Debug|Info|Warning|Error)\] \S|127\.0\.0\.1:\d+ accepted )/;
    assert(stamp.test(line) || /^(mtray \d|The links )/.test(line), line);
  }
  const ids = found(log, /#(\d+) \S+ closed/g).map(Number).sort((a, b) => a - b);
  assertEquals(ids, Array.from({ length: MANY + sources }, (_, index) => index + 1));
  assertEquals(found(log, /( accepted )/g).length, ids.length);
  assertEquals(found(log, /(door: dokodemo-door listens on)/g).length, 2);
  assertEquals(found(log, /(door: no longer listens on)/g).length, 2);
});

Deno.test("what one worker has seen is a replay to the other", () =>
  inFolder(async (folder) => {
    const centre = await DataCentre.start(centreEcho);
    const site = await Site.start(async (visit) => {
      await visit.readOn();
      await visit.socket.write(Uint8Array.of(0x5a));
      while (await visit.readOn());
    });
    const [key, plainKey, domain] = [random(16), random(16), "www.example.org"];
    const files = { access: join(folder, "access.log"), error: join(folder, "error.log"), loglevel: "info" };
    const [port, plainPort] = [freePort(), freePort()];
    const config = gatewayConfig(port, {
      users: [{ secret: `ee${hex(key)}${hex(new TextEncoder().encode(domain))}` }],
      dataCenters: { "2": [centre.address] },
      inbound: { fallbacks: [{ dest: site.address }] },
      config: { workers: 2, log: files, policy: { levels: { "0": { handshake: 1 } } } },
    });
    (config.inbounds as unknown[]).push({
      tag: "plain",
      listen: "127.0.0.1",
      port: plainPort,
      protocol: "mtproto",
      settings: { users: [{ secret: hex(plainKey) }] },
    });
    const mtray = await Mtray.start(config, plainPort);
    await untilShared(port, 2);
    await untilShared(plainPort, 2);

    // All at once, so that both workers meet the same bytes for the first time at the same moment.
    const firstBytes = async (port: number, bytes: Uint8Array) => {
      const sockets = await many(() => connectSocket(port));
      await Promise.all(sockets.map((socket) => socket.write(bytes)));
      const heard = await Promise.all(sockets.map((socket: Socket) => socket.readExactly(1)));
      sockets.forEach((socket) => socket.close());
      return heard.map((byte) => byte?.[0] ?? -1).sort((a, b) => a - b);
    };
    const hello = buildClientHello({ secret: key, domain }).record;
    const oneOf = (let_in: number[], others: number) => [...let_in, ...new Array(MANY - 1).fill(others)];
    assertEquals(await firstBytes(port, hello), oneOf([0x16], 0x5a));
    assertEquals(
      await firstBytes(port, hello),
      new Array(MANY).fill(0x5a),
      "a later replay is shown the site",
    );

    const client = initiate({ tag: 0xee, dc: 2, secret: plainKey });
    const [said] = client.down.update(Uint8Array.of(7));
    const flight = concat(client.header, client.up.update(Uint8Array.of(7)));
    const heard = await firstBytes(plainPort, flight);
    assertEquals(heard.filter((byte) => byte !== -1).length, 1, `${said} was heard`);
    assertEquals(heard.filter((byte) => byte === -1).length, MANY - 1);
    assertEquals(centre.accepted, 1);

    const { code, stdout, stderr } = await mtray.stop();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^mtray \S+ is running: .*\n.*mtray link.*\n$/);
    const error = Deno.readTextFileSync(files.error);
    assertEquals(found(error, /(is shown .*: the hello was used before)\n/g).length, 2 * MANY - 1);
    assertEquals(found(Deno.readTextFileSync(files.access), /( rejected .*)\n/g).length, MANY);
    await Promise.all([centre.close(), site.close()]);
  }));

Deno.test("a port that others have, shared or not, is taken", () =>
  inFolder(async (folder) => {
    const port = freePort();
    const isTaken = async (network: string) => {
      const config = write(folder, door(port, 9, network), `${network}.json`);
      const { code, stdout, stderr } = await runMtray(["run", "-c", config]);
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^cannot start inbound door: .*: the port is taken by another program\. Stop /);
    };
    const stranger = Deno.listen({ hostname: "127.0.0.1", port });
    await isTaken("tcp");
    stranger.close();
    const datagrams = await bindDatagrams(port);
    await isTaken("udp");
    datagrams.close();
    // Those of the same user may share a port with each other: that must not go unnoticed.
    await using mtray = await Mtray.start(door(port, 9), port);
    await untilShared(port, 2);
    await Promise.all([isTaken("tcp"), isTaken("udp")]);
    assertEquals((await mtray.stop()).code, 0);
  }));

/** mtray with workers that die, as a command. */
async function dying(folder: string): Promise<string[]> {
  const command = mtrayCommand();
  const source = join(ROOT, "tests", "blackbox", "dying.ts");
  if (command.pop()!.endsWith(".ts")) return [...command, source];
  await bundle(source, join(folder, "dying.js"));
  return [...command, join(folder, "dying.js")];
}

/** What a form of the program has no place for, a mistake of ours or a flag, is no test of that form. */
function testWhere(form: boolean, name: string, body: (folder: string) => Promise<void>): void {
  if (form) Deno.test(name, () => inFolder(body));
}

testWhere(
  /\.[tj]s$/.test(mtrayCommand().at(-1)!),
  "a worker that dies takes the others with it",
  async (folder) => {
    const command = await dying(folder);
    const port = freePort();
    const log = join(folder, "error.log");
    const config = write(folder, { ...door(port, 9), workers: 3, log: { error: log } });
    const sign = join(folder, "die");
    const ends = async (variables: Record<string, string>) => {
      const [program, ...first] = command;
      const run = runMtray(["run", "-c", config], {
        command: ["env", ...Object.entries(variables).map((each) => each.join("=")), program, ...first],
      });
      if ("DYING_WHEN" in variables) {
        await untilShared(port, 3);
        Deno.writeTextFileSync(sign, "");
      }
      const done = await run;
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return done;
    };
    const later = await ends({ DYING_WHEN: sign });
    assertEquals(later.code, 1);
    assertMatch(later.stdout, /^mtray .* is running.*\n$/);
    assertMatch(later.stderr, /^mtray: an unexpected failure: worker [23] failed: a mistake in a worker/);
    assertMatch(
      Deno.readTextFileSync(log),
      /^\S+ \S+ \[Error\] worker [23] failed: a mistake in a worker\n$/,
    );
    const atOnce = await ends({ DYING_AT_ONCE: "1" });
    assertEquals([atOnce.code, atOnce.stdout], [1, ""]);
    assertMatch(atOnce.stderr, /worker [23] failed.*born dead/);
  },
);

testWhere(
  mtrayCommand().includes("--unstable-net"),
  "Deno without the flag that lets it share a port",
  async (folder) => {
    const command = mtrayCommand();
    const config = write(folder, door(freePort(), 9));
    const done = await runMtray(["run", "-c", config], {
      command: command.filter((part) => part !== "--unstable-net"),
    });
    assertEquals(done, {
      code: 1,
      stdout: "",
      stderr: "cannot start 2 workers: Deno shares a port only when it is started with --unstable-net\n",
    });
  },
);
