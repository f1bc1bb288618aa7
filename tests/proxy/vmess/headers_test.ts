// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { fnv1a32 } from "../../../lib/crypto/hash.ts";
import { cryptoProvider } from "../../../lib/crypto/provider.ts";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { MtrayError } from "../../../lib/errors.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import {
  type Command,
  decodeHeader,
  encodeHeader,
  type RequestHeader,
  type Security,
} from "../../../lib/proxy/vmess/header.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { RequestOpener, sealHeader, sealRequest } from "../../../lib/proxy/vmess/request.ts";
import { responseKeys, ResponseOpener, sealResponse } from "../../../lib/proxy/vmess/response.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { eachSplit, hex } from "../../support.ts";
import { VECTORS } from "./vectors.ts";

const crypto = cryptoProvider();
const account = new Account(parseId(VECTORS.uuid));
const counting = (from: number) => Uint8Array.from({ length: 16 }, (_, i) => from + i);

const example: RequestHeader = {
  iv: counting(0x10),
  key: counting(0x20),
  check: 0x7a,
  options: 0x0d,
  security: "aes-128-gcm",
  command: "tcp",
  target: { host: "example.com", port: 443 },
};

const requests = fc.record({
  iv: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  check: fc.nat(255),
  options: fc.nat(255),
  security: fc.constantFrom<Security>("aes-128-gcm", "chacha20-poly1305", "none"),
  command: fc.constantFrom<Command>("tcp", "udp", "mux"),
  host: fc.constantFrom("example.com", "192.0.2.7", "2001:db8::1", Array(4).fill("a".repeat(60)).join(".")),
  port: fc.integer({ min: 1, max: 65535 }),
}).map(({ host, port, ...header }): RequestHeader => ({
  ...header,
  ...(header.command !== "mux" && { target: { host, port } }),
}));

Deno.test("a request, byte by byte as it was computed elsewhere", () => {
  const plain = encodeHeader(example, hex("aabbcc"));
  assertEquals(toHex(plain), VECTORS.header);
  assertEquals(decodeHeader(plain), example);
  const authId = account.authIds.seal(VECTORS.time, hex(VECTORS.authIdRandom));
  const wire = sealHeader(plain, { account, authId, nonce: hex(VECTORS.nonce) }, crypto);
  assertEquals(toHex(wire), VECTORS.request);
});

Deno.test("a request is opened as soon as it is whole, wherever it is cut", () => {
  const wire = concat(hex(VECTORS.request), Uint8Array.of(1, 2, 3));
  const used = wire.length - 3;
  eachSplit(wire, (pieces) => {
    const opener = new RequestOpener(account, crypto);
    let bytes = new Uint8Array();
    for (const piece of pieces) {
      bytes = concat(bytes, piece);
      const opening = opener.open(bytes);
      if (bytes.length < used) assertEquals(opening, { kind: "more" });
      else assertEquals(opening, { kind: "header", header: example, used });
    }
  });
});

Deno.test("any request is read as it was made", () => {
  fc.assert(fc.property(requests, fc.nat(2 ** 31), (header, seconds) => {
    const wire = sealRequest(header, { account, seconds, random: randomBytes, crypto });
    assertEquals(account.authIds.open(wire.subarray(0, 16)), seconds);
    const opening = new RequestOpener(account, crypto).open(wire);
    assertEquals(opening, { kind: "header", header, used: wire.length });
  }));
});

Deno.test("padding has every length from 0 to 15", () => {
  const lengths = new Set<number>();
  for (let i = 0; i < 500 && lengths.size < 16; i++) {
    lengths.add(sealRequest(example, { account, seconds: 1, random: randomBytes, crypto }).length);
  }
  assertEquals(Math.max(...lengths) - Math.min(...lengths), 15);
});

Deno.test("a bit changed anywhere in a request is noticed before anything is believed", () => {
  const wire = hex(VECTORS.request);
  for (let bit = 0; bit < 8 * wire.length; bit++) {
    const changed = wire.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    const opening = new RequestOpener(account, crypto).open(changed);
    assertEquals(opening.kind, "wrong", `bit ${bit}`);
    assert(opening.kind === "wrong" && opening.why.startsWith("does not open"));
  }
});

Deno.test("another user's request does not open", () => {
  const opener = new RequestOpener(new Account(parseId("another")), crypto);
  assertEquals(opener.open(hex(VECTORS.request)).kind, "wrong");
});

Deno.test("a header that is not understood says why", () => {
  const good = encodeHeader(example, hex("aabbcc"));
  const mux = encodeHeader({ ...example, command: "mux", target: undefined }, new Uint8Array());
  const changed = (base: Uint8Array, change: (bytes: Uint8Array) => void) => {
    const bytes = base.slice();
    change(bytes);
    const end = bytes.length - 4;
    new DataView(bytes.buffer).setUint32(end, fnv1a32(bytes.subarray(0, end)));
    return bytes;
  };
  const cases: [Uint8Array, RegExp][] = [
    [good.slice(0, -1), /wrong checksum/],
    [changed(good, (bytes) => bytes[0] = 2), /^has version 2$/],
    [changed(good, (bytes) => bytes[35] = 0x31), /aes-128-cfb/],
    [changed(good, (bytes) => bytes[35] = 0x32), /security 2/],
    [changed(good, (bytes) => bytes[35] = 0x30), /security 0/],
    [changed(good, (bytes) => bytes[35] = 0x23), /wrong length/],
    [changed(good, (bytes) => bytes[35] = 0x43), /wrong length/],
    [changed(good, (bytes) => bytes[35] = 0xf3), /wrong length/],
    [changed(good, (bytes) => bytes[37] = 0), /command 0/],
    [changed(good, (bytes) => bytes[37] = 3), /wrong length/],
    [changed(good, (bytes) => bytes.fill(0, 38, 40)), /port 0/],
    [changed(good, (bytes) => bytes[40] = 9), /no address/],
    [changed(good, (bytes) => bytes[42] = 0x20), /no address/],
    [changed(mux, (bytes) => bytes[37] = 1), /wrong length/],
    [changed(mux, (bytes) => bytes[35] = 0xf3), /wrong length/],
    [mux.slice(0, 41), /has 41 bytes/],
  ];
  for (const [bytes, why] of cases) {
    const read = decodeHeader(bytes);
    assert(typeof read === "string" && why.test(read), JSON.stringify(read));
    const seed = { account, authId: hex(VECTORS.authId), nonce: hex(VECTORS.nonce) };
    const opening = new RequestOpener(account, crypto).open(sealHeader(bytes, seed, crypto));
    assertEquals(opening, { kind: "wrong", why: read });
  }
  assertEquals(typeof decodeHeader(mux), "object");
});

Deno.test("a sealed length that makes no sense is not waited for", () => {
  for (const length of [0, 513, 65_535]) {
    const seed = { account, authId: hex(VECTORS.authId), nonce: hex(VECTORS.nonce) };
    const wire = sealHeader(new Uint8Array(length), seed, crypto).subarray(0, 42);
    assertEquals(new RequestOpener(account, crypto).open(wire), {
      kind: "wrong",
      why: `has ${length} bytes`,
    });
  }
});

Deno.test("an answer, byte by byte as it was computed elsewhere, wherever it is cut", () => {
  const keys = responseKeys(example);
  assertEquals([toHex(keys.key), toHex(keys.iv)], [VECTORS.responseKey, VECTORS.responseIv]);
  assertEquals(toHex(sealResponse(keys, 0x7a, crypto)), VECTORS.response);
  const wire = concat(hex(VECTORS.response), Uint8Array.of(1, 2, 3));
  eachSplit(wire, (pieces) => {
    const opener = new ResponseOpener(keys, 0x7a, crypto);
    assertEquals(opener.begun, false);
    const rest: Uint8Array[] = [];
    let opened = false;
    for (const piece of pieces) {
      const got = opened ? piece : opener.read(piece);
      assertEquals(opener.begun, true);
      if (got === null) continue;
      opened = true;
      rest.push(got);
    }
    assertEquals(concat(...rest), Uint8Array.of(1, 2, 3));
  });
});

Deno.test("an answer to another request, or one that was changed, is refused", () => {
  const keys = responseKeys(example), wire = hex(VECTORS.response);
  const refused = (bytes: Uint8Array, check = 0x7a) => {
    const read = () => new ResponseOpener(keys, check, crypto).read(bytes);
    return (assertThrows(read, MtrayError, "cannot read the VMess server's answer") as MtrayError).code;
  };
  assertEquals(refused(wire, 0x7b), "protocol");
  for (let bit = 0; bit < 8 * wire.length; bit++) {
    const changed = wire.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(refused(changed), "protocol");
  }
});
