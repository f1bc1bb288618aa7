// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { firstQuestion, probeTelegram } from "../../lib/cli/probe.ts";
import type { Config, OutboundConfig } from "../../lib/config/types.ts";
import { cryptoProvider } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { MtrayError } from "../../lib/errors.ts";
import { keysOf } from "../../lib/proxy/mtproto/header.ts";
import type { Clock } from "../../lib/proxy/types.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { plainOutbound } from "../config/plain.ts";
import type { ByteStream, Dial, DialOptions, Target } from "../../lib/stream/types.ts";
import { assertHolds } from "./thrown.ts";

const YES = "Telegram answers directly.";
const NO = "Telegram does not answer from here: you need a chain, see ";

function configWith(outbound: Partial<OutboundConfig>, pinned: [number, Target[]][] = []): Config {
  const settings = { adoptDownlinkKey: "auto", dataCenters: new Map(pinned), ip: "auto" };
  return {
    log: { access: "", error: "", level: "info" },
    policies: new Map(),
    workers: 1,
    inbounds: [],
    outbounds: [{
      tag: "tg-out",
      protocol: "mtproto",
      settings,
      ...plainOutbound,
      path: "outbounds[0]",
      ...outbound,
    }],
    routing: { rules: [], balancers: [] },
  };
}

/** A network in which every address is served by `serve`. */
function network(serve: (stream: ByteStream) => Promise<void>) {
  const dialled: { target: Target; options: DialOptions }[] = [];
  const dial: Dial = (target, options) => {
    dialled.push({ target, options });
    const [ours, theirs] = memoryPair();
    serve(theirs).catch(() => {});
    return Promise.resolve(ours);
  };
  return { dialled, dial };
}

/** Reads the header and the question as a data centre does, and answers with `words` in its own keystream. */
async function dataCentre(stream: ByteStream, answer: Uint8Array<ArrayBuffer>): Promise<void> {
  const got: number[] = [];
  while (got.length < 64 + 44 && await stream.ready()) got.push(...stream.take());
  const { forward, backward } = keysOf(Uint8Array.from(got.slice(0, 64)));
  const reading = cryptoProvider().aes256Ctr(forward.key, forward.iv);
  const writing = cryptoProvider().aes256Ctr(backward.key, backward.iv);
  const clear = reading.update(Uint8Array.from(got));
  const view = new DataView(clear.buffer, clear.byteOffset);
  const asked = view.getUint32(56, true) === 0xeeeeeeee && view.getUint32(64, true) === 40 &&
    view.getUint32(64 + 24, true) === 0xbe7e8ef1;
  if (asked) await stream.write(writing.update(answer));
}

const RES_PQ = new Uint8Array(88);
RES_PQ[0] = 84;

const clock: Clock = { now: () => performance.now(), wall: () => Date.now() };

/** @param ahead how far the probe's clock differs from that of the streams, in milliseconds */
function probe(config: Config, dial: Dial, signal = never, ahead = 0): Promise<string | undefined> {
  const shifted = { ...clock, now: () => clock.now() + ahead };
  const means = { dial: () => dial, clock: shifted, random: randomBytes, crypto: cryptoProvider() };
  return probeTelegram(config, means, signal);
}

const never = new AbortController().signal;

Deno.test("a data centre that answers the question is an answer, whole or byte by byte", async () => {
  const whole = network((stream) => dataCentre(stream, RES_PQ.slice()));
  assertEquals(await probe(configWith({}), whole.dial), YES);
  assertEquals(whole.dialled.map(({ target }) => `${target.host}:${target.port}`), [
    "149.154.167.51:443",
    "149.154.167.91:443",
    "149.154.175.50:443",
  ]);

  const inBytes = network(async (stream) => {
    const [near, far] = memoryPair();
    const answering = dataCentre(far, RES_PQ.slice());
    for (let passed = 0; passed < 64 + 44;) {
      await stream.ready();
      const bytes = stream.take();
      passed += bytes.length;
      await near.write(bytes.slice());
    }
    await answering;
    await near.ready();
    for (const byte of near.take().slice()) await stream.write(Uint8Array.of(byte));
  });
  assertEquals(await probe(configWith({}), inBytes.dial), YES);
});

Deno.test("Telegram's own error packet is an answer", async () => {
  const { dial } = network((stream) => dataCentre(stream, Uint8Array.of(4, 0, 0, 0, 0x6c, 0xfe, 0xff, 0xff)));
  assertEquals(await probe(configWith({}), dial), YES);
});

Deno.test("one centre of three is enough", async () => {
  let asked = 0;
  const { dial } = network((stream) =>
    asked++ === 2 ? dataCentre(stream, RES_PQ.slice()) : Promise.resolve(stream.close())
  );
  assertEquals(await probe(configWith({}), dial), YES);
});

Deno.test("a connection that only opens, or that another program answers, is none", async () => {
  const closes = network((stream) => Promise.resolve(stream.close()));
  assertHolds(await probe(configWith({}), closes.dial) ?? "", NO);
  const http = network(async (stream) => {
    await stream.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  assertHolds(await probe(configWith({}), http.dial) ?? "", NO);
  const refuses: Dial = () => Promise.reject(new MtrayError("unreachable", "cannot connect"));
  assertHolds(await probe(configWith({}), refuses) ?? "", NO);
});

Deno.test("the section that the advice names is in the README", async () => {
  const refuses: Dial = () => Promise.reject(new MtrayError("unreachable", "cannot connect"));
  const line = await probe(configWith({}), refuses) ?? "";
  const title = /"(.+)"/.exec(line)?.[1];
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  assertHolds(readme, `\n## ${title}\n`);
});

Deno.test("silence is given up three seconds after the start", async () => {
  const silent = network(() => new Promise(() => {}));
  const before = performance.now();
  // By this clock 2,900 of the 3,000 milliseconds are over when the streams begin to wait.
  assertHolds(await probe(configWith({}), silent.dial, never, -2900) ?? "", NO);
  const took = performance.now() - before;
  assert(took > 90 && took < 2500, `took ${Math.round(took)} ms`);
});

Deno.test("a stop ends the probe at once, while it dials and while it waits", async () => {
  for (const moment of ["dialling", "waiting"]) {
    const stop = new AbortController();
    const silent = network(async (stream) => {
      await stream.ready();
      if (moment === "waiting") stop.abort();
      await new Promise(() => {});
    });
    const before = performance.now();
    const stopped = probe(configWith({}), silent.dial, stop.signal);
    if (moment === "dialling") stop.abort();
    await stopped;
    assert(performance.now() - before < 2500, `not at once while ${moment}`);
  }
});

Deno.test("pinned centres are asked instead of the built-in ones", async () => {
  const pinned: [number, Target[]][] = [[2, [{ host: "127.0.0.1", port: 18443 }]]];
  const { dial, dialled } = network((stream) => dataCentre(stream, RES_PQ.slice()));
  const config = configWith({}, pinned);
  assertEquals(await probe(config, dial), YES);
  assertEquals(dialled, [{ target: { host: "127.0.0.1", port: 18443 }, options: { alone: true } }]);
});

Deno.test("nothing is asked where no way leads to Telegram", async () => {
  const { dial, dialled } = network(() => Promise.resolve());
  assertEquals(await probe(configWith({ protocol: "freedom" }), dial), undefined);
  assertEquals(dialled, []);
});

/** tg-out, carried by "near", which "far" carries. */
function chainOf(protocol: string): Config {
  const config = configWith({ proxyTag: "near" });
  const hop = { settings: {}, ...plainOutbound, path: "" };
  config.outbounds.push({ ...hop, tag: "near", protocol, proxyTag: "far" }, {
    ...hop,
    tag: "far",
    protocol: "freedom",
  });
  return config;
}

/** What is said of a chain whose lowest dial this is, and the tags that were dialled through. */
async function probeChain(dial: Dial, { protocol = "socks", signal = never, ahead = 0 } = {}) {
  const tags = new Set<string | undefined>();
  const through = (tag?: string) => {
    tags.add(tag);
    return dial;
  };
  const shifted = { ...clock, now: () => clock.now() + ahead };
  const means = { dial: through, clock: shifted, random: randomBytes, crypto: cryptoProvider() };
  return { line: await probeTelegram(chainOf(protocol), means, signal), tags: [...tags] };
}

Deno.test("a chain is asked through its last hop, and the answer names all hops", async () => {
  const { dial } = network((stream) => dataCentre(stream, RES_PQ.slice()));
  assertEquals(await probeChain(dial), { line: "Telegram answers through far → near.", tags: ["near"] });
});

Deno.test("a chain that does not lead there says why", async () => {
  const no = "Telegram does not answer through far → near: ";
  const see = ' See README.md, "When Telegram does not answer".';
  const refuses: Dial = () =>
    Promise.reject(new MtrayError("unreachable", "cannot go through far: no route"));
  assertEquals((await probeChain(refuses)).line, `${no}cannot go through far: no route.${see}`);
  const closes = network((stream) => Promise.resolve(stream.close()));
  const { line } = await probeChain(closes.dial, { protocol: "vmess" });
  assertEquals(
    line,
    `${no}the connection was closed without an answer. ` +
      `Are the server's address, port and id right, and does this box's clock agree with it?${see}`,
  );
});

Deno.test("a chain has five seconds, and a stop ends it", async () => {
  const silent = network(() => new Promise(() => {}));
  const before = performance.now();
  const { line } = await probeChain(silent.dial, { ahead: -4900 });
  assertHolds(line ?? "", "near: nothing came back within 5 seconds. See");
  const took = performance.now() - before;
  assert(took > 90 && took < 2500, `took ${Math.round(took)} ms`);

  const stop = new AbortController();
  const stopping = network(async (stream) => {
    await stream.ready();
    stop.abort();
  });
  await probeChain(stopping.dial, { signal: stop.signal });
  assert(performance.now() - before < 4000, "not at once");
});

Deno.test("the question is one frame with a new nonce each time", () => {
  const [a, b] = [firstQuestion(clock, randomBytes), firstQuestion(clock, randomBytes)];
  assertEquals(a.length, 44);
  assertEquals(a.subarray(4, 12), new Uint8Array(8));
  assert(a.subarray(28).toString() !== b.subarray(28).toString());
});
