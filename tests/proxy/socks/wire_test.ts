// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../lib/errors.ts";
import {
  datagram,
  greeting,
  login,
  parseChoice,
  parseDatagram,
  parseGreeting,
  parseLogin,
  parseLoginAnswer,
  parseReply,
  parseRequest,
  parseRequest4,
  REPLY,
  reply,
  reply4,
  request,
} from "../../../lib/proxy/socks/wire.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { hex } from "../../support.ts";
import { ascii } from "../fakes.ts";

/** A parser must wait for the last byte of a message, and use no byte behind it. */
function cutEverywhere<T extends { used: number }>(
  parse: (bytes: Uint8Array) => T | null,
  message: Uint8Array,
  expected: Omit<T, "used">,
) {
  for (let cut = 0; cut < message.length; cut++) assertEquals(parse(message.slice(0, cut)), null);
  for (const tail of [new Uint8Array(), ascii("\x05\x00tail")]) {
    assertEquals(parse(concat(message, tail)), { ...expected, used: message.length } as T);
  }
}

Deno.test("what a client says, cut at every byte", () => {
  cutEverywhere(parseGreeting, hex("05020002"), { methods: [0, 2] });
  cutEverywhere(parseGreeting, hex("0500"), { methods: [] });
  cutEverywhere(parseLogin, concat(hex("0104"), ascii("user"), hex("06"), ascii("pässw")), {
    user: "user",
    pass: "pässw",
  });
  cutEverywhere(parseLogin, hex("01000100").slice(0, 3).with(2, 0), { user: "", pass: "" });
  const requests: [string, string, number][] = [
    ["0501000101020304 01bb", "1.2.3.4", 443],
    ["05010004 20010db8000000000000000000000001 01bb", "2001:db8::1", 443],
    ["05010004 00000000000000000000ffff01020304 01bb", "1.2.3.4", 443],
    ["05010003 0b 6578616d706c652e434f4d 0050", "example.com", 80],
    ["05010003 07 312e322e332e34 0050", "1.2.3.4", 80],
    ["05010003 05 5b3a3a315d 0050", "::1", 80],
  ];
  for (const [wire, host, port] of requests) {
    cutEverywhere(parseRequest, hex(wire.replaceAll(" ", "")), { command: 1, target: { host, port } });
  }
});

Deno.test("what SOCKS 4 and 4a say, cut at every byte", () => {
  cutEverywhere(parseRequest4, hex("040101bb0102030400"), {
    command: 1,
    target: { host: "1.2.3.4", port: 443 },
  });
  cutEverywhere(parseRequest4, concat(hex("040200500102030 4".replace(" ", "")), ascii("me\0")), {
    command: 2,
    target: { host: "1.2.3.4", port: 80 },
  });
  cutEverywhere(parseRequest4, concat(hex("0401005000000001"), ascii("me\0example.com\0")), {
    command: 1,
    target: { host: "example.com", port: 80 },
  });
  cutEverywhere(parseRequest4, concat(hex("0401005000000001"), ascii("\0a b\0")), {
    command: 1,
    target: null,
  });
});

Deno.test("addresses in disguise and names that nothing can have are no targets", () => {
  for (
    const name of ["10.1", "0x7f.1", "2130706433", "a b", "a\nb", "", "ä.example", "a..b", "-a", "1.2.3.4."]
  ) {
    const bytes = new TextEncoder().encode(name);
    const asked = parseRequest(concat(Uint8Array.of(5, 1, 0, 3, bytes.length), bytes, hex("0050")));
    assertEquals(asked?.target, null, JSON.stringify(name));
  }
  for (const name of ["my_host.local", "example.com.", "xn--bcher-kva.example", "a"]) {
    const asked = parseRequest(concat(Uint8Array.of(5, 1, 0, 3, name.length), ascii(name), hex("0050")));
    assertEquals(asked?.target?.host, name);
  }
  assertEquals(parseRequest(hex("0501000900000000"))?.target, null);
});

Deno.test("another version is an error, at its first byte", () => {
  for (const parse of [parseGreeting, parseRequest, parseChoice, parseReply, parseLogin]) {
    assertThrows(() => parse(hex("47")), MtrayError, "cannot read");
  }
});

Deno.test("no bytes make a parser throw anything but an error of the protocol, or use more than there is", () => {
  const parsers = [
    parseGreeting,
    parseLogin,
    parseRequest,
    parseRequest4,
    parseChoice,
    parseLoginAnswer,
    parseReply,
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(6), fc.boolean(), (bytes, which, versioned) => {
      if (versioned && bytes.length > 0) bytes[0] = 5;
      try {
        const found = parsers[which](bytes);
        assert(found === null || found.used <= bytes.length);
      } catch (error) {
        assert(error instanceof MtrayError && error.code === "protocol", String(error));
      }
      parseDatagram(bytes);
    }),
    { numRuns: 2000 },
  );
});

const hosts = fc.oneof(
  fc.ipV4(),
  fc.constantFrom("2001:db8::1", "::1", "fe80::1:2:3"),
  fc.domain().map((name) => name.toLowerCase()),
);
const targets = fc.record({ host: hosts, port: fc.integer({ min: 1, max: 65535 }) });

Deno.test("what one side writes the other reads", () => {
  fc.assert(
    fc.property(
      targets,
      fc.uint8Array({ maxLength: 100 }),
      fc.constantFrom(1, 3),
      (target, data, command) => {
        const asked = parseRequest(request(command, target));
        assertEquals([asked?.command, asked?.target], [command, target]);
        const answer = parseReply(reply(REPLY.granted, target));
        assertEquals([answer?.code, answer?.bound], [0, target]);
        assertEquals(parseDatagram(datagram(target, data)), { target, data });
      },
    ),
  );
  const text = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" });
  fc.assert(fc.property(text, text, (user, pass) => {
    const found = parseLogin(login(user, pass));
    assertEquals([found?.user, found?.pass], [user, pass]);
  }));
  assertEquals(parseGreeting(greeting([0, 2]))?.methods, [0, 2]);
});

Deno.test("answers have the bytes of the RFC", () => {
  assertEquals(reply(REPLY.hostUnreachable), hex("05040001000000000000"));
  assertEquals(reply(REPLY.granted, { host: "127.0.0.1", port: 1080 }), hex("050000017f0000010438"));
  assertEquals(reply4(0x5a), hex("005a000000000000"));
  // A refusal may be cut short.
  assertEquals(parseReply(hex("0505")), { code: 5, bound: null, used: 2 });
});

Deno.test("fragments, other beginnings and port 0 are no datagrams", () => {
  const good = datagram({ host: "1.2.3.4", port: 53 }, ascii("question"));
  assertEquals(parseDatagram(good)?.data, ascii("question"));
  assertEquals(parseDatagram(good.with(2, 1)), null);
  assertEquals(parseDatagram(good.with(8, 0).with(9, 0)), null);
  for (let cut = 0; cut < 10; cut++) assertEquals(parseDatagram(good.slice(0, cut)), null);
  assertEquals(parseDatagram(good.slice(0, 10))?.data, new Uint8Array());
});
