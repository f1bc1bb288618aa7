/**
 * Records the cases of this folder against real programs on loopback:
 *
 *     deno run -A tests/interop/recorded/record.ts xray=PATH@VERSION xray-old=PATH@VERSION sing-box=PATH@VERSION [CASE…]
 */
import { type Case, CASES } from "./cases.ts";
import { clientConfig, type Json, type Ports, type Program, serverConfig } from "./programs.ts";
import { type Passed, Recorder } from "./recorder.ts";
import { type Exchange, payload, type Peer, type Recording, toLines } from "./recording.ts";
import { carryOut, Target } from "./traffic.ts";

const UUID = "27848739-7e62-4138-9fd3-098a63964b6b";

interface Binary {
  path: string;
  version: string;
}

async function record(item: Case, binaries: Map<Program, Binary>): Promise<Recording> {
  const exchanges: Exchange[] = [];
  const ending = item.ending ?? "application";
  const target = await Target.open(exchanges, ending);
  for (const [i, [network, host, up, down, second]] of item.exchanges.entries()) {
    exchanges.push({
      network,
      host,
      port: second ? target.secondPort : target.port,
      up: await payload(2 * i + 1, up),
      down: await payload(2 * i + 2, down),
    });
  }

  const [socks, server, chain] = freePorts(3);
  const recorder = new Recorder(item.chained ? chain : server);
  const ports: Ports = { socks, server, recorder: recorder.port, chain: item.chained && chain };
  const id = item.id ?? UUID;
  const serverPeer = peer(item.server, serverConfig(item.server, id, ports, item.inbound ?? {}));
  const clientPeer = peer(
    item.client,
    clientConfig(item.client, id, ports, item.user ?? {}, item.outbound ?? {}),
    item.env,
  );

  const running: Deno.ChildProcess[] = [];
  try {
    running.push(await start(serverPeer, server));
    running.unshift(await start(clientPeer, socks));
    await carryOut(exchanges, socks, ending);
    const passed = theOne(recorder.passed);
    await Promise.race([passed.done, delay(3_000)]);
    const endedBy = passed.endedBy ?? "stopped";
    await stop(running.splice(0));
    await passed.done;
    return {
      case: item.name,
      about: item.about,
      client: clientPeer,
      server: serverPeer,
      uuid: item.id === undefined ? UUID : await uuidOf(item.id),
      time: passed.time,
      exchanges,
      endedBy,
      reads: passed.reads.join(" "),
      clientBytes: toLines(join(passed.client)),
      serverBytes: toLines(join(passed.server)),
    };
  } finally {
    await stop(running);
    recorder.close();
    target.close();
  }

  function peer(program: Program, config: Json, env?: Record<string, string>): Peer {
    const { version } = binaries.get(program)!;
    return { program: program.replace("-old", ""), version, ...(env && { env }), config };
  }

  async function start({ config, env }: Peer, port: number): Promise<Deno.ChildProcess> {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(file, JSON.stringify(config));
    const program = config === clientPeer.config ? item.client : item.server;
    const { path } = binaries.get(program)!;
    const child = new Deno.Command(path, {
      args: ["run", "-c", file],
      env,
      stdout: "null",
      stderr: "inherit",
    })
      .spawn();
    await listening(port);
    await Deno.remove(file);
    return child;
  }
}

/** The one connection that carried bytes. */
function theOne(passed: Passed[]): Passed {
  const used = passed.filter(({ client }) => client.length > 0);
  if (used.length !== 1) throw new Error(`cannot record: ${used.length} connections, not one`);
  return used[0];
}

/** Waits until something accepts connections on a port of 127.0.0.1, at most 10 s. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error(`cannot start: nothing listens on port ${port}`);
}

async function stop(children: Deno.ChildProcess[]): Promise<void> {
  for (const child of children) {
    child.kill("SIGTERM");
    await child.status;
  }
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  return listeners.map((listener) => {
    listener.close();
    return (listener.addr as Deno.NetAddr).port;
  });
}

/** UUIDv5 of a text in the nil namespace. */
async function uuidOf(text: string): Promise<string> {
  const input = join([new Uint8Array(16), new TextEncoder().encode(text)]);
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-1", input)).subarray(0, 16);
  bytes[6] = bytes[6] & 0x0f | 0x50;
  bytes[8] = bytes[8] & 0x3f | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => Array.from(part)));
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

if (import.meta.main) {
  const binaries = new Map<Program, Binary>();
  const wanted: string[] = [];
  for (const argument of Deno.args) {
    const [, program, path, version] = argument.match(/^(.+)=(.+)@(.+)$/) ?? [];
    if (program) binaries.set(program as Program, { path, version });
    else wanted.push(argument);
  }
  for (const item of CASES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    try {
      const recording = await record(item, binaries);
      await Deno.writeTextFile(
        new URL(`${item.name}.json`, import.meta.url),
        JSON.stringify(recording, null, 2) + "\n",
      );
      console.log(`${item.name}: ${recording.reads} (${recording.endedBy})`);
    } catch (error) {
      console.error(`${item.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  Deno.exit();
}
