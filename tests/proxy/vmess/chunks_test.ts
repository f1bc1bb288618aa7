// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { workingProviders } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { Shake128 } from "../../../lib/crypto/shake128.ts";
import { MtrayError } from "../../../lib/errors.ts";
import { bodyKey, formatOf, PaddingSource } from "../../../lib/proxy/vmess/body.ts";
import { ChunkReader } from "../../../lib/proxy/vmess/chunk_reader.ts";
import { ChunkWriter } from "../../../lib/proxy/vmess/chunk_writer.ts";
import type { Command, Security } from "../../../lib/proxy/vmess/header.ts";
import { kdf16, SALT } from "../../../lib/proxy/vmess/kdf.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { pattern } from "../../contract/streams.ts";
import { eachSplit, hex } from "../../support.ts";
import { VECTORS } from "./vectors.ts";

const [crypto] = workingProviders();
const iv = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);
const key = Uint8Array.from({ length: 16 }, (_, i) => 0x20 + i);
const keys = { key, iv, request: { key, iv } };
const text = (words: string) => new TextEncoder().encode(words);

interface Kind {
  security: Security;
  options: number;
  command?: Command;
}

/** Every security with every combination of options that makes chunks. */
const KINDS: Kind[] = (["aes-128-gcm", "chacha20-poly1305", "none"] as const).flatMap((security) =>
  Array.from({ length: 32 }, (_, options): Kind => ({ security, options }))
    .filter(({ options }) => (options & 2) === 0 && (security !== "none" || (options & 1) !== 0))
);

function name({ security, options, command }: Kind): string {
  return `${security} 0x${options.toString(16)} ${command ?? ""}`;
}

/** @param zeros fills padding with zeros */
function writerOf(kind: Kind, { provider = crypto, zeros = false, datagrams = false } = {}): ChunkWriter {
  const padding = new PaddingSource(zeros ? (length) => new Uint8Array(length) : randomBytes);
  return new ChunkWriter(formatOf({ command: "tcp", ...kind }), keys, {
    crypto: provider,
    padding,
    datagrams,
  });
}

function readerOf(kind: Kind, provider = crypto): ChunkReader {
  return new ChunkReader(formatOf({ command: "tcp", ...kind }), keys, provider);
}

function wireOf(writer: ChunkWriter, a: Uint8Array, b?: Uint8Array): Uint8Array {
  const out = new Uint8Array(writer.wireLength(a.length + (b?.length ?? 0)));
  return out.slice(0, writer.put(a, b, out, 0));
}

/** Reads pieces as a stream does; the reader may overwrite them, so it gets copies. */
function readAll(reader: ChunkReader, pieces: Uint8Array[], room = 0): Uint8Array {
  return concat(...pieces.map((piece) => {
    const lent = new Uint8Array(room + piece.length).subarray(room);
    lent.set(piece);
    const parts: Uint8Array[] = [];
    for (let got = reader.update(lent, room);; got = reader.more(room)) {
      if (room > 0) new Uint8Array(got.buffer, got.byteOffset - room, room).fill(0xff);
      parts.push(got.slice());
      // Whoever got it may overwrite it before he asks for more.
      got.fill(0xee);
      reader.release();
      if (!reader.waiting) return concat(...parts);
    }
  }));
}

function refuses(read: () => unknown, why: RegExp): void {
  const error = assertThrows(read, MtrayError, "cannot read a VMess chunk") as MtrayError;
  assertEquals(error.code, "protocol");
  assert(why.test(error.message), error.message);
}

Deno.test("chunks, byte by byte as they were computed elsewhere, with every provider", () => {
  const cases: [Kind, readonly string[]][] = [
    [{ security: "aes-128-gcm", options: 0x0d }, VECTORS.chunks.gcm],
    [{ security: "chacha20-poly1305", options: 0x0d }, VECTORS.chunks.chacha],
    [{ security: "aes-128-gcm", options: 0x1d }, VECTORS.chunks.gcmSealedLength],
    [{ security: "none", options: 0x05 }, VECTORS.chunks.none],
  ];
  for (const provider of workingProviders()) {
    for (const [kind, chunks] of cases) {
      const writer = writerOf(kind, { provider, zeros: true });
      const made = [wireOf(writer, text("hello")), wireOf(writer, text("world!")), writer.end()];
      assertEquals(made.slice(0, chunks.length).map(toHex), chunks, name(kind));
      const reader = readerOf(kind, provider);
      assertEquals(new TextDecoder().decode(readAll(reader, made)), "helloworld!");
      assertEquals(reader.ended, true);
      writer.close();
      reader.close();
    }
  }
});

Deno.test("the stream of masks, and the keys made of keys", () => {
  const masks = new Shake128(iv);
  const bytes = Array.from({ length: 8 }, () => masks.next16().toString(16).padStart(4, "0")).join("");
  assertEquals(bytes, VECTORS.shake);
  assertEquals(toHex(bodyKey("chacha20-poly1305", key)), VECTORS.chachaKey);
  assertEquals(bodyKey("aes-128-gcm", key), key);
  assertEquals(toHex(kdf16(key, SALT.chunkLength)), VECTORS.lengthSealKey);
});

Deno.test("what has chunks and what has not", () => {
  const chunked = (security: Security, options: number) =>
    formatOf({ security, options, command: "tcp" }).chunked;
  assertEquals([chunked("none", 0), chunked("none", 0x0c), chunked("none", 1)], [false, false, true]);
  assertEquals([chunked("aes-128-gcm", 0), chunked("chacha20-poly1305", 0)], [true, true]);
  const padded = (command: Command) => formatOf({ security: "none", options: 0x0d, command }).padding;
  assertEquals([padded("tcp"), padded("mux"), padded("udp")], [false, false, true]);
});

for (const kind of KINDS) {
  Deno.test(`${name(kind)}: the same wherever it is cut, with room in front or without`, () => {
    const writer = writerOf(kind);
    const wire = concat(
      wireOf(writer, text("hello")),
      wireOf(writer, text("w"), text("orld!")),
      wireOf(writer, pattern(70)),
      writer.end(),
      text("behind the end"),
    );
    writer.close();
    const expected = concat(text("helloworld!"), pattern(70));
    for (const room of [0, 5]) {
      eachSplit(wire, (pieces) => {
        const reader = readerOf(kind);
        assertEquals(readAll(reader, pieces, room), expected);
        assertEquals([reader.ended, reader.inside], [true, false]);
        reader.close();
      });
    }
  });
}

Deno.test("any texts, in chunks of any kind, cut anywhere, come out as they went in", () => {
  const lengths = fc.oneof(fc.nat(100), fc.nat(5000), fc.constantFrom(16_300, 16_384, 40_000, 140_000));
  fc.assert(
    fc.property(
      fc.constantFrom(...KINDS),
      fc.array(fc.record({ a: lengths, b: fc.option(lengths, { nil: undefined }) }), { maxLength: 4 }),
      fc.array(fc.nat(150_000), { maxLength: 6 }),
      (kind, texts, cuts) => {
        const writer = writerOf(kind);
        const plain = texts.map((
          { a, b },
          i,
        ) => [pattern(a, i + 1), b === undefined ? undefined : pattern(b, i + 9)]);
        const wire = concat(...plain.map(([a, b]) => wireOf(writer, a!.slice(), b?.slice())), writer.end());
        writer.close();
        const edges = [0, ...cuts.filter((cut) => cut < wire.length).sort((a, b) => a - b), wire.length];
        const reader = readerOf(kind);
        const got = readAll(reader, edges.slice(1).map((edge, i) => wire.slice(edges[i], edge)));
        const expected = concat(...plain.flatMap(([a, b]) => b === undefined ? [a!] : [a!, b]));
        assert(got.length === expected.length && got.every((byte, i) => byte === expected[i]), name(kind));
        assertEquals(reader.ended, true);
        reader.close();
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("texts behind a chunk that was cut come in parts where there is much", () => {
  const kind: Kind = { security: "aes-128-gcm", options: 0x0d };
  for (const room of [0, 64]) {
    const writer = writerOf(kind), reader = readerOf(kind);
    const whole = pattern(600_000);
    const wire = concat(wireOf(writer, whole), writer.end());
    const lent = new Uint8Array(room + wire.length).subarray(room);
    lent.set(wire);
    assertEquals(reader.update(lent.subarray(0, 1000), room).length, 0);
    const parts = [reader.update(lent.subarray(1000), room).slice()];
    while (reader.waiting) {
      reader.release();
      parts.push(reader.more(room).slice());
    }
    assert(parts.length > 1 && parts[0].length <= 320 << 10, String(parts.map(({ length }) => length)));
    assert(toHex(concat(...parts)) === toHex(whole));
    assertEquals([reader.ended, reader.inside], [true, false]);
    writer.close();
    reader.close();
  }
});

Deno.test("chunks are at most 16,384 bytes on the wire, and nearly that where there is much to say", () => {
  for (const kind of KINDS) {
    const writer = writerOf(kind), reader = readerOf(kind);
    const wire = wireOf(writer, new Uint8Array(100_000));
    reader.feed(wire.slice());
    const texts: number[] = [];
    for (let got; (got = reader.next()) !== null;) texts.push(got.length);
    assertEquals(texts.length, 7, name(kind));
    assertEquals(texts.reduce((sum, length) => sum + length), 100_000);
    assert(wire.length <= 7 * 16_384 && texts[0] > 16_200);
    writer.close();
    reader.close();
  }
});

Deno.test("a short text and the one behind it share a chunk", () => {
  const kind: Kind = { security: "aes-128-gcm", options: 0x01 };
  const writer = writerOf(kind), reader = readerOf(kind);
  const wire = wireOf(writer, pattern(10), pattern(20_000, 2));
  reader.feed(wire.slice());
  const texts: Uint8Array[] = [];
  for (let got; (got = reader.next()) !== null;) texts.push(got);
  assertEquals(texts.map(({ length }) => length), [writer.most, 20_010 - writer.most]);
  assertEquals(concat(...texts), concat(pattern(10), pattern(20_000, 2)));
  writer.close();
  reader.close();
});

Deno.test("no text makes no chunk", () => {
  for (const kind of KINDS) {
    const writer = writerOf(kind);
    assertEquals(wireOf(writer, new Uint8Array(), new Uint8Array()).length, 0);
    assertEquals(wireOf(writer, new Uint8Array()).length, 0);
    writer.close();
  }
});

Deno.test("chunks of up to 65,535 bytes are read", () => {
  for (const kind of KINDS) {
    const writer = writerOf(kind, { datagrams: true }), reader = readerOf(kind);
    const whole = pattern(writer.most);
    const wire = wireOf(writer, whole);
    assert(wire.length > 65_400);
    assertEquals(readAll(reader, [wire.slice(0, 100), wire.slice(100)]), whole);
    writer.close();
    reader.close();
  }
});

Deno.test("nonces wrap after 65,536 chunks, as those of V2Ray do", () => {
  // A GCM or ChaCha20 key stream depends on key and nonce alone: the same nonce and text make the same bytes.
  for (const security of ["aes-128-gcm", "chacha20-poly1305"] as const) {
    const kind: Kind = { security, options: 0x11 };
    const writer = writerOf(kind), reader = readerOf(kind);
    const first = wireOf(writer, Uint8Array.of(7));
    const chunks = [first];
    for (let i = 1; i < 65_536; i++) chunks.push(wireOf(writer, Uint8Array.of(7)));
    const again = wireOf(writer, Uint8Array.of(7));
    assertEquals(again, first);
    assert(toHex(chunks[1]) !== toHex(first) && toHex(chunks[65_535]) !== toHex(first));
    assertEquals(readAll(reader, [concat(...chunks, again)]).length, 65_537);
    writer.close();
    reader.close();
  }
});

Deno.test("a bit changed anywhere in an authenticated chunk ends the stream, and never skips the chunk", () => {
  for (const kind of KINDS.filter(({ security }) => security !== "none")) {
    const format = formatOf({ command: "tcp", ...kind });
    const writer = writerOf(kind, { zeros: true });
    const chunk = wireOf(writer, text("hello"));
    // The next ones are long enough for a size that has become larger.
    const wire = concat(
      chunk,
      wireOf(writer, new Uint8Array(16_000)),
      ...Array.from({ length: 4 }, () => wireOf(writer, new Uint8Array(16_000))),
    );
    writer.close();
    const size = format.authenticatedLength ? 18 : 2;
    const guarded = size + 5 + 16;
    for (let bit = 0; bit < 8 * guarded; bit++) {
      const changed = wire.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const reader = readerOf(kind);
      reader.feed(changed);
      let got: Uint8Array | null = null;
      try {
        got = reader.next();
      } catch (error) {
        assertEquals((error as MtrayError).code, "protocol");
      }
      // Only a size that nobody guards can promise more than there is, or an end.
      const unguarded = !format.authenticatedLength && bit < 16;
      assertEquals(got, null, `${name(kind)}, bit ${bit}`);
      assert(unguarded || !reader.ended);
      reader.close();
    }
  }
});

Deno.test("a size that cannot be is refused", () => {
  for (const security of ["aes-128-gcm", "chacha20-poly1305"] as const) {
    refuses(() => readerOf({ security, options: 1 }).update(hex("000f")), /it has 15 bytes/);
    refuses(() => readerOf({ security, options: 0 }).update(hex("0000")), /it has 0 bytes/);
    refuses(() => readerOf({ security, options: 0x11 }).update(randomBytes(18)), /its size does not open/);
  }
});

Deno.test("an end is seen from its size alone, and what follows is not looked at", () => {
  for (const kind of KINDS) {
    const writer = writerOf(kind), reader = readerOf(kind);
    const size = (kind.options & 0x10) !== 0 && kind.security !== "none" ? 18 : 2;
    const end = writer.end();
    assertEquals(readAll(reader, [end.slice(0, size - 1)]).length, 0);
    assertEquals([reader.ended, reader.inside], [false, true]);
    assertEquals(readAll(reader, [end.slice(size - 1, size)]).length, 0);
    assertEquals([reader.ended, reader.inside], [true, false]);
    assertEquals(readAll(reader, [end.slice(size), randomBytes(1000)]).length, 0);
    writer.close();
    reader.close();
  }
});

Deno.test("what was received can still be read after a close, and writing cannot go on", () => {
  for (const kind of KINDS) {
    const writer = writerOf(kind), reader = readerOf(kind);
    const wire = wireOf(writer, text("hello")), more = wireOf(writer, text("world"));
    assertEquals(readAll(reader, [wire]), text("hello"));
    reader.close();
    reader.close();
    assertEquals(readAll(reader, [more.slice(0, 9), more.slice(9)]), text("world"));
    writer.close();
    writer.close();
    if (kind.security !== "none") assertThrows(() => wireOf(writer, text("x")), MtrayError, "freed");
  }
});

Deno.test("padding is random and 0 to 63 bytes long", () => {
  const kind: Kind = { security: "aes-128-gcm", options: 0x0d };
  const writer = writerOf(kind);
  const lengths = Array.from({ length: 1000 }, () => wireOf(writer, text("hello")).length - 23);
  assertEquals([Math.min(...lengths), Math.max(...lengths)], [0, 63]);
  const [one, other] = [0, 1].map(() => {
    const out = new Uint8Array(63);
    new PaddingSource(randomBytes).fill(out, 0, 63);
    return toHex(out);
  });
  assert(one !== other);
  writer.close();
});
