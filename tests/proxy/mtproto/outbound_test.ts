// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { cryptoProvider } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { codeOf, MtrayError } from "../../../lib/errors.ts";
import { Events } from "../../../lib/observe/events.ts";
import { MtprotoOutbound } from "../../../lib/proxy/mtproto/outbound.ts";
import type { MtprotoOutboundSettings } from "../../../lib/proxy/mtproto/settings.ts";
import { noMux, type OutboundContext } from "../../../lib/proxy/types.ts";
import { textOf } from "../../../lib/runtime/address.ts";
import { childSession, type Session } from "../../../lib/session.ts";
import { Preferences } from "../../../lib/shared/preferences.ts";
import { toHex } from "../../../lib/stream/bytes.ts";
import { memoryPair } from "../../../lib/stream/pair.ts";
import type { ByteStream, Dial, Target } from "../../../lib/stream/types.ts";
import { accept, keyBytesFor } from "../../telegram/obfuscated2.ts";
import { readSome } from "../../contract/streams.ts";

const never = new AbortController().signal;
const clock = { now: () => performance.now(), wall: () => Date.now() };

/** A network in which some addresses answer; the other ends of what was dialled are kept. */
function network(answers: (address: string) => boolean | "never" = () => true) {
  const dialled: string[] = [];
  const ends: ByteStream[] = [];
  const dial: Dial = (target, _options, signal) => {
    dialled.push(textOf(target));
    const answer = answers(textOf(target));
    if (answer === "never") {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    if (!answer) return Promise.reject(new MtrayError("unreachable", `${textOf(target)} refuses`));
    const [near, far] = memoryPair();
    ends.push(far);
    return Promise.resolve(near);
  };
  return { dial, dialled, ends };
}

function outbound(
  dial: Dial,
  settings: Partial<MtprotoOutboundSettings> = {},
  context: Partial<OutboundContext> = {},
) {
  return new MtprotoOutbound({
    tag: "tg-out",
    events: new Events(),
    clock,
    random: randomBytes,
    crypto: cryptoProvider(),
    digests: { add: () => true, has: () => false },
    policy: () => ({ handshake: 1, connIdle: 1, uplinkOnly: 1, downlinkOnly: 1 }),
    preferences: new Preferences(clock),
    dial,
    encrypts: false,
    chained: false,
    below: [],
    dialPackets: () => Promise.reject(new MtrayError("unsupported", "no datagrams")),
    warnings: { beforeRelease: () => false, differs: () => {} },
    mux: noMux,
    ...context,
  }, { adoptDownlinkKey: "auto", dataCenters: new Map(), ip: "auto", ...settings });
}

function session(dc: number, source = "192.168.1.5", tag = 0xee): Session {
  const offer = { key: randomBytes(32), iv: randomBytes(16) };
  return {
    ...childSession({ host: "0.0.0.0", port: 443 }),
    source: { host: source, port: 1 },
    mtproto: { tag, dc, offer },
  };
}

const pinned = (list: Record<string, string[]>): Map<number, Target[]> =>
  new Map(
    Object.entries(list).map(([dc, hosts]) => [Number(dc), hosts.map((host) => ({ host, port: 443 }))]),
  );

Deno.test("the header is the data centre's: same framing, signed id, and bytes pass both ways", async () => {
  for (const [dc, tag] of [[2, 0xef], [-4, 0xee], [203, 0xdd], [10002, 0xdd]] as const) {
    const { dial, ends } = network();
    const connected = await outbound(dial, { adoptDownlinkKey: false }).connect(
      session(dc, undefined, tag),
      never,
    );
    const centre = accept(await readSome(ends[0], 64))!;
    assertEquals([centre.tag, centre.dc], [tag, dc]);
    await connected.stream.write(new TextEncoder().encode("question"));
    assertEquals(new TextDecoder().decode(centre.up.update(await readSome(ends[0], 8))), "question");
    await ends[0].write(centre.down.update(new TextEncoder().encode("answer")));
    assertEquals(new TextDecoder().decode(await readSome(connected.stream, 6)), "answer");
    assertEquals([connected.adopted, connected.via], [false, ["tg-out"]]);
    connected.stream.close();
  }
});

Deno.test("the downlink key is adopted for the household, behind an encrypted hop, or as the config says", async () => {
  const cases: [boolean | "auto", string, boolean, boolean][] = [
    ["auto", "192.168.1.5", false, true],
    ["auto", "10.1.2.3", false, true],
    ["auto", "127.0.0.1", false, true],
    ["auto", "fd00::5", false, true],
    ["auto", "::ffff:192.168.1.5", false, true],
    ["auto", "203.0.113.5", false, false],
    ["auto", "100.64.0.1", false, false],
    ["auto", "2001:db8::1", false, false],
    ["auto", "203.0.113.5", true, true],
    [true, "203.0.113.5", false, true],
    [false, "192.168.1.5", true, false],
  ];
  for (const [adoptDownlinkKey, source, encrypts, expected] of cases) {
    const { dial, ends } = network();
    const asking = session(2, source);
    const connected = await outbound(dial, { adoptDownlinkKey }, { encrypts }).connect(asking, never);
    assertEquals(connected.adopted, expected, `${adoptDownlinkKey} ${source} ${encrypts}`);
    const header = await readSome(ends[0], 64);
    const same = toHex(header.subarray(8, 56)) === toHex(keyBytesFor(asking.mtproto!.offer!));
    assertEquals(same, expected);
    if (expected) {
      // Copied as it is: only the client can read it.
      await ends[0].write(Uint8Array.of(1, 2, 3));
      assertEquals([...await readSome(connected.stream, 3)], [1, 2, 3]);
    }
    connected.stream.close();
  }
});

Deno.test("the next address is tried when one refuses, and goes first afterwards", async () => {
  const { dial, dialled } = network((address) => address !== "149.154.167.51:443");
  const out = outbound(dial);
  (await out.connect(session(2), never)).stream.close();
  assertEquals(dialled, ["149.154.167.51:443", "95.161.76.100:443"]);
  (await out.connect(session(2), never)).stream.close();
  assertEquals(dialled[2], "95.161.76.100:443");
});

Deno.test("an address that does not answer is left after three seconds", async () => {
  const { dial, dialled } = network((address) => address === "149.154.175.50:443" ? "never" : true);
  const started = performance.now();
  (await outbound(dial).connect(session(1), never)).stream.close();
  const took = performance.now() - started;
  assert(took > 2_900 && took < 6_000, `${took} ms`);
  assertEquals(dialled, ["149.154.175.50:443", "[2001:b28:f23d:f001::a]:443"]);
});

Deno.test("what failed is told, with every address", async () => {
  const { dial } = network(() => false);
  const error = await outbound(dial, { dataCenters: pinned({ "2": ["a.example", "b.example"] }) })
    .connect(session(2), never).catch((error) => error);
  assertEquals(codeOf(error), "unreachable");
  assertEquals(
    error.message,
    "cannot connect to data centre 2: a.example:443 refuses; b.example:443 refuses",
  );
});

Deno.test("a data centre found nowhere is refused; one that is pinned never falls back to Telegram's", async () => {
  const { dial, dialled } = network();
  const error = await outbound(dial).connect(session(77), never).catch((error) => error);
  assertEquals([codeOf(error), dialled.length], ["unknown-data-centre", 0]);
  const out = outbound(dial, {
    dataCenters: pinned({ "2": ["mine.example"], "77": ["seventy-seven.example"] }),
  });
  for (const dc of [2, -2, 0, 77, -77]) (await out.connect(session(dc), never)).stream.close();
  assertEquals(dialled, [
    ...Array(3).fill("mine.example:443"),
    ...Array(2).fill("seventy-seven.example:443"),
  ]);
});

Deno.test("a stop ends the attempts", async () => {
  const { dial, dialled } = network(() => "never");
  const stop = new AbortController();
  const connecting = outbound(dial).connect(session(2), stop.signal).catch((error) => error);
  stop.abort(new MtrayError("stopped", "mtray is stopping"));
  assertEquals(codeOf(await connecting), "stopped");
  assertEquals(dialled.length, 1);
});

Deno.test("a hop that fails is told of once, however many addresses were tried", async () => {
  const dial: Dial = () => Promise.reject(new MtrayError("unreachable", "cannot go through hop: gone"));
  const error = await outbound(dial, {}, { chained: true, below: ["hop"] }).connect(session(2), never)
    .catch((error) => error);
  assertEquals(error.message, "cannot connect to data centre 2: cannot go through hop: gone");
});

Deno.test("when the time is over, the error still says which hop of a chain it was", async () => {
  const dial: Dial = (_target, _options, signal) =>
    new Promise((_, reject) =>
      signal.addEventListener(
        "abort",
        () => reject(new MtrayError("unreachable", "cannot go through hop: silence")),
      )
    );
  const ending = new AbortController();
  const connecting = outbound(dial, {}, { chained: true, below: ["hop"] }).connect(session(2), ending.signal);
  ending.abort(new MtrayError("timed-out", "no answer within 30 s"));
  const error = await connecting.catch((error) => error);
  assertEquals(error.message, "cannot connect to data centre 2: cannot go through hop: silence");
});

Deno.test("through a chain an address has failed that was asked and ended without an answer", async () => {
  const endings: [string, (end: ByteStream) => void][] = [
    ["an end", (end) => void end.closeWrite()],
    ["an abort", (end) => end.close(new Error("gone"))],
  ];
  for (const [, finish] of endings) {
    const { dial, dialled, ends } = network();
    const out = outbound(dial, {}, { chained: true, below: ["hop"] });
    const first = await out.connect(session(2), never);
    assertEquals(first.via, ["hop", "tg-out"]);
    await first.stream.write(new Uint8Array(10));
    finish(ends[0]);
    await first.stream.ready().catch(() => {});
    first.stream.close();
    (await out.connect(session(2), never)).stream.close();
    assertEquals(dialled, ["149.154.167.51:443", "95.161.76.100:443"]);
  }
});

Deno.test("through a chain an address is kept that answered, or that nobody asked anything", async () => {
  const { dial, dialled, ends } = network();
  const out = outbound(dial, {}, { chained: true });
  const silent = await out.connect(session(2), never);
  await ends[0].closeWrite();
  assertEquals(await silent.stream.ready(), false);
  const answered = await out.connect(session(2), never);
  await answered.stream.write(new Uint8Array(10));
  await ends[1].write(new Uint8Array(4));
  assertEquals(await answered.stream.ready(), true);
  answered.stream.take();
  await ends[1].closeWrite();
  assertEquals(await answered.stream.ready(), false);
  const left = await out.connect(session(2), never);
  await left.stream.write(new Uint8Array(10));
  left.stream.close();
  await out.connect(session(2), never);
  assertEquals(new Set(dialled), new Set(["149.154.167.51:443"]));
});

Deno.test("what is no MTProto client is refused", async () => {
  const { dial, dialled } = network();
  const error = await outbound(dial).connect(childSession({ host: "a", port: 1 }), never).catch((error) =>
    error
  );
  assertEquals([codeOf(error), dialled.length], ["unsupported", 0]);
});
