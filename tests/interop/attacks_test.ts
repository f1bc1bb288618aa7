/**
 * A VMess inbound among people who do not mean well: bytes changed everywhere, replays, clocks that are wrong, headers
 * that are cut or make no sense. It must neither crash nor hang, nor answer, nor relay a byte.
 */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { concat, equal, hex, random } from "../telegram/bytes.ts";
import { connectSocket, PeerReset, within } from "../telegram/socket.ts";
import { config, freedom, USER, vmessInbound } from "../v2ray/config.ts";
import { Ports } from "../v2ray/ports.ts";
import { FULL, withPrograms } from "../v2ray/process.ts";
import { Server } from "../v2ray/servers.ts";
import { type Flight, open, OPTION, type Request, seal, withChecksum } from "../v2ray/vmess_client.ts";
import { forEach } from "./gateway.ts";

/** How long mtray waits for a header that can be opened, in milliseconds. */
const HANDSHAKE = 1_000;
/** When a connection counts as hanging. */
const HANGING = HANDSHAKE + 8_000;
/** Attacks at the same time. */
const WIDTH = 200;
/** What a connection that is let in says first. Its last bytes are random, so that no two are alike. */
const WORDS = new TextEncoder().encode("let in: ");

/** A response header and a chunk with a greeting in it take at least so many bytes. */
const ANSWERED = 38 + 2 + WORDS.length + 8 + 16;

/** A target that keeps what it was sent, and answers what it knows. */
class Target {
  /** Of each connection that came. */
  readonly heard: Uint8Array[] = [];

  static async start(): Promise<{ target: Target; server: Server }> {
    const target = new Target();
    const server = await Server.start(async (socket) => {
      const index = target.heard.push(new Uint8Array()) - 1;
      for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) {
        target.heard[index] = concat(target.heard[index], bytes);
        await socket.write(bytes);
      }
    });
    return { target, server };
  }

  /** All that came and is not from somebody who was let in. */
  get smuggled(): string[] {
    const letIn = (bytes: Uint8Array) =>
      equal(bytes.subarray(0, WORDS.length), WORDS.subarray(0, bytes.length));
    return this.heard.filter((bytes) => !letIn(bytes)).map(hex);
  }

  /** How often that was heard, by itself. */
  times(words: Uint8Array): number {
    return this.heard.filter((bytes) => equal(bytes, words)).length;
  }
}

interface Outcome {
  /** Bytes that came back. */
  answer: number;
  /** From the connection's beginning to its end. */
  ms: number;
}

interface Setup {
  port: number;
  target: Target;
  /** The request that would reach the target. */
  request: Request;
}

interface Manner {
  /** Whether our side says that it has finished. */
  finish?: boolean;
  /** Goes out first, and must have been answered before the rest follows. */
  welcome?: Uint8Array;
}

/** Sends bytes to mtray, and waits until it ends the connection. */
async function attack({ port }: Setup, bytes: Uint8Array, manner: Manner = {}): Promise<Outcome> {
  const { finish = true, welcome } = manner;
  const started = performance.now();
  using socket = await connectSocket(port, { patience: Infinity });
  let answer = 0;
  const outcome = async () => {
    try {
      if (welcome !== undefined) {
        await socket.write(welcome);
        await socket.readExactly(ANSWERED);
      }
      await socket.write(bytes);
      if (finish) await socket.closeWrite();
      for (let read = await socket.read(); read !== null; read = await socket.read()) answer += read.length;
    } catch (error) {
      if (!(error instanceof PeerReset)) throw error;
    }
  };
  await within(HANGING, "see an attack's end", outcome());
  return { answer, ms: performance.now() - started };
}

/** As a client that means well: says something and hears it back. */
async function isLetIn(setup: Setup, flight: Flight, words = greeting()): Promise<boolean> {
  using socket = await connectSocket(setup.port, { patience: HANGING });
  try {
    await socket.write(concat(flight.header, flight.chunks.next(words)));
    return await socket.readExactly(ANSWERED) !== null;
  } catch (error) {
    if (error instanceof PeerReset) return false;
    throw error;
  }
}

function greeting(): Uint8Array {
  return concat(WORDS, random(8));
}

/** The same bytes with one bit changed. */
function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return new Uint8Array(bytes).map((byte, i) => i === at ? byte ^ 1 << bit : byte);
}

/** Every offset with one of its bits, or with all of them. */
function flips(length: number): { at: number; bit: number }[] {
  return Array.from({ length }, (_, at) => at).flatMap((at) =>
    FULL ? Array.from({ length: 8 }, (_, bit) => ({ at, bit })) : [{ at, bit: (at * 5 + 3) % 8 }]
  );
}

/** Runs one kind of attack, and proves that nothing of it arrived anywhere. */
async function nothingPasses<T>(
  setup: Setup,
  items: readonly T[],
  bytesOf: (item: T) => Uint8Array,
  options: Manner & { check?: (outcome: Outcome) => void } = {},
): Promise<void> {
  const before = setup.target.heard.length;
  await forEach(items, async (item) => {
    const outcome = await attack(setup, bytesOf(item), options);
    assertEquals(outcome.answer, 0, "it was answered");
    options.check?.(outcome);
  }, WIDTH);
  assertEquals(setup.target.heard.length, before, "somebody was let in");
}

const lines: [name: string, run: (setup: Setup) => Promise<void>][] = [
  [
    "a bit flipped at every offset of a sealed header: thrown away until the deadline, without a word",
    (setup) => {
      const length = open(setup.request).header.length;
      return nothingPasses(setup, flips(length), ({ at, bit }) => {
        const { header, chunks } = open(setup.request);
        return concat(flipped(header, at, bit), chunks.next(greeting()), random(2000));
      }, {
        finish: false,
        // Whoever closes after a number of bytes tells a prober that a header was expected.
        check: ({ ms }) => assert(ms > HANDSHAKE * 0.8, `it was closed after ${ms.toFixed(0)} ms`),
      });
    },
  ],

  ["a bit flipped at every offset of a header before a user sealed it", (setup) => {
    const length = open(setup.request).plain.length;
    return nothingPasses(setup, flips(length), ({ at, bit }) => {
      const { plain, chunks } = open(setup.request);
      return concat(seal(flipped(plain, at, bit), setup.request), chunks.next(greeting()));
    });
  }],

  ["a user's header that makes no sense", (setup) => {
    const odd: Partial<Request>[] = [
      ...[0, 4, 255].map((command) => ({ command })),
      ...[0, 4, 255].map((addressType) => ({ addressType })),
      // A domain longer than what is left, and an IPv6 address that is not there.
      ...[2, 3].map((addressType) => ({ addressType, host: "250.1.1.1" })),
      ...[2, 6, 7, 15].map((security) => ({ security })),
      { port: 0 },
    ];
    return nothingPasses(setup, odd, (changes) => {
      const { header, chunks } = open({ ...setup.request, ...changes });
      return concat(header, chunks.next(greeting()));
    });
  }],

  [
    "a user's header cut at every offset before it was sealed",
    (setup) =>
      nothingPasses(setup, Array.from(open(setup.request).plain.keys()), (length) => {
        const { plain, chunks } = open(setup.request);
        const cut = length < 4 ? plain.subarray(0, length) : withChecksum(plain.subarray(0, length - 4));
        return concat(seal(cut, setup.request), chunks.next(greeting()));
      }),
  ],

  [
    "a header cut at every offset",
    (setup) =>
      nothingPasses(
        setup,
        Array.from(open(setup.request).header.keys()),
        (length) => open(setup.request).header.subarray(0, length),
      ),
  ],

  [
    "strangers: random bytes of many lengths, another's id",
    (setup) =>
      nothingPasses(
        setup,
        [0, 1, 15, 16, 17, 42, 60, 61, 100, 1_000, 70_000, -1],
        (length) =>
          length < 0 ? open({ ...setup.request, uuid: crypto.randomUUID() }).header : random(length),
      ),
  ],

  ["wrong clocks", async (setup) => {
    const now = Date.now() / 1000;
    const wrong = [-86_400, -600, -180, -125, 125, 180, 600, 86_400].map((off) => now + off);
    const absurd = [0, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, -now];
    await nothingPasses(setup, [...wrong, ...absurd], (time) => {
      const { header, chunks } = open({ ...setup.request, time });
      return concat(header, chunks.next(greeting()));
    });
    for (const off of [-100, 100]) {
      const flight = open({ ...setup.request, time: Date.now() / 1000 + off });
      assert(await isLetIn(setup, flight), `a clock that is ${off} s off must do`);
    }
  }],

  ["replays", async (setup) => {
    const [key, iv, words] = [random(16), random(16), greeting()];
    const again = () => open({ ...setup.request, key, iv });
    const flight = again();
    assert(await isLetIn(setup, flight, words));
    const bytes = concat(flight.header, open({ ...setup.request, key, iv }).chunks.next(words));
    await nothingPasses(setup, Array.from({ length: 20 }, (_, i) => i), () => bytes);
    // Sealed anew by somebody who knows the id, but with keys that were used.
    await nothingPasses(setup, [1, 2, 3], () => concat(again().header, again().chunks.next(words)));
    assertEquals(setup.target.times(words), 1);

    const race = open(setup.request);
    const said = greeting();
    const together = concat(race.header, race.chunks.next(said));
    await Promise.all(Array.from({ length: 20 }, () => attack(setup, together)));
    assertEquals(setup.target.times(said), 1, "of twenty at once one must be let in");
  }],

  ...[OPTION.chunks | OPTION.masking, OPTION.chunks | OPTION.authenticatedLength].map((options) =>
    [
      `a bit flipped at every offset of a chunk, options 0x${options.toString(16)}`,
      async (setup: Setup) => {
        const [first, second] = [greeting(), random(16)];
        const chunksOf = () => {
          const { header, chunks } = open({ ...setup.request, options });
          return { welcome: concat(header, chunks.next(first)), chunk: chunks.next(second), after: chunks };
        };
        // A length that nobody authenticates may promise more than there is, and then only the end tells.
        const finish = (options & OPTION.masking) !== 0;
        const all = flips(chunksOf().chunk.length);
        await forEach(all, async ({ at, bit }) => {
          const { welcome, chunk, after } = chunksOf();
          await attack(setup, concat(flipped(chunk, at, bit), after.next(second)), { finish, welcome });
        }, WIDTH);
        assertEquals(setup.target.times(first), all.length, "what came before it must have arrived");
        const beyond = setup.target.heard.filter((bytes) =>
          equal(bytes.subarray(0, first.length), first) && bytes.length > first.length
        );
        assertEquals(beyond.length, 0, "bytes after a tampered chunk arrived");
      },
    ] as [string, (setup: Setup) => Promise<void>]
  ),
];

Deno.test("attacks on a VMess inbound", async (test) => {
  using ports = new Ports();
  const { target, server } = await Target.start();
  await using _server = server;
  await withPrograms(async (start) => {
    const port = ports.take();
    const policy = { policy: { levels: { "0": { handshake: HANDSHAKE / 1000 } } } };
    await start("mtray", config([vmessInbound("in", port)], [freedom], policy), { tcp: [port] });
    const setup = { port, target, request: { uuid: USER, host: "127.0.0.1", port: server.port } };
    assert(await isLetIn(setup, open(setup.request)), "a client that means well must be let in");
    for (const [name, run] of lines) await test.step(name, () => run(setup));
    assertEquals(target.smuggled, []);
    assert(
      await isLetIn(setup, open(setup.request)),
      "a client that means well must be let in after all that",
    );
  });
});
