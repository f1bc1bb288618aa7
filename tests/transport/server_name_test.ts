// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { runtime } from "../../lib/runtime/mod.ts";
import { concat, toHex } from "../../lib/stream/bytes.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { chainHash, judgePins } from "../../lib/transport/pins.ts";
import { coversName, serverNameOf } from "../../lib/transport/server_name.ts";
import { sha256 } from "../../lib/crypto/hash.ts";
import { bytesOf, errorOf, readSome } from "./streams.ts";

/** The hello that this runtime's own TLS sends. */
async function helloFor(name: string): Promise<Uint8Array> {
  const [near, far] = memoryPair();
  const controller = new AbortController();
  const starting = errorOf(runtime.startTls(near, name, {}, controller.signal));
  let hello: Uint8Array = new Uint8Array();
  while (hello.length < 5 || hello.length < 5 + (hello[3] << 8 | hello[4])) {
    hello = concat(hello, await readSome(far, 1));
  }
  controller.abort(new Error("enough"));
  await starting;
  far.close();
  return hello;
}

Deno.test("the name in a hello, wherever it is cut, in one record or many", async () => {
  const hello = await helloFor("Some.Example");
  assertEquals(serverNameOf(hello), "some.example");
  assertEquals(serverNameOf(concat(hello, bytesOf("more"))), "some.example");
  for (let cut = 0; cut < hello.length; cut++) {
    assertEquals(serverNameOf(hello.subarray(0, cut)), undefined, `cut at ${cut}`);
  }
  for (const size of [1, 7, 100]) {
    const records: Uint8Array[] = [];
    for (let at = 5; at < hello.length; at += size) {
      const piece = hello.slice(at, at + size);
      records.push(Uint8Array.of(22, 3, 1, piece.length >> 8, piece.length & 255), piece);
    }
    const wire = concat(...records);
    assertEquals(serverNameOf(wire), "some.example", `records of ${size}`);
    for (const cut of [3, 5, 6, 20, wire.length - 1]) {
      assertEquals(serverNameOf(wire.subarray(0, cut)), undefined, `records of ${size} cut at ${cut}`);
    }
  }
});

Deno.test("a hello without a name, and what is none", async () => {
  assertEquals(serverNameOf(await helloFor("192.0.2.1")), null);
  assertEquals(serverNameOf(bytesOf("GET / HTTP/1.1\r\n\r\n")), null);
  assertEquals(serverNameOf(Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0)), null);
  assertEquals(serverNameOf(Uint8Array.of(22, 3, 1, 0, 0)), null);
  assertEquals(serverNameOf(Uint8Array.of(22, 3, 1, 255, 255)), null);
  const broken = await helloFor("some.example");
  for (let at = 9; at < broken.length; at++) {
    const bytes = broken.slice();
    bytes[at] ^= 0xff;
    // Anything but a throw or a wait for ever.
    assertEquals(typeof serverNameOf(bytes) !== "undefined", true, `${at}`);
  }
});

Deno.test("a certificate's names cover hosts", () => {
  const names = ["a.example", "*.b.example"];
  for (const host of ["a.example", "x.b.example"]) assertEquals(coversName(names, host), true, host);
  for (const host of ["b.example", "x.y.b.example", "xa.example", "b", ""]) {
    assertEquals(coversName(names, host), false, host);
  }
});

Deno.test("V2Ray's hash of a chain goes from certificate to certificate", () => {
  const [a, b, c] = ["a", "b", "c"].map(bytesOf);
  const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
  assertEquals(chainHash([a]), base64(sha256(a)));
  assertEquals(chainHash([a, b]), base64(sha256(sha256(a), sha256(b))));
  assertEquals(chainHash([a, b, c]), base64(sha256(sha256(sha256(a), sha256(b)), sha256(c))));
});

Deno.test("pins: one of a kind must fit, each kind that is given; only a server's own certificate is enough", async () => {
  const [a, b, c] = ["a", "b", "c"].map(bytesOf);
  const judge = (pinnedChains: string[], pinnedCertificates: string[]) =>
    judgePins([a, b], { pinnedChains, pinnedCertificates });
  const hash = (bytes: Uint8Array) => toHex(sha256(bytes));
  const fails = async (chains: string[], certificates: string[]) =>
    (await errorOf((async () => await judge(chains, certificates))())).message;
  assertEquals(judge([], []), false);
  assertEquals(judge([chainHash([c]), chainHash([a, b])], []), false);
  // The server may show less, or a runtime add the root.
  assertEquals(judge([chainHash([a])], []), false);
  assertEquals(judge([], [hash(c), hash(a)]), true);
  assertEquals(judge([], [hash(b)]), false);
  assertEquals(judge([chainHash([a, b])], [hash(a)]), true);
  assertEquals(
    await fails([chainHash([b])], []),
    `its certificate chain is not a pinned one; its hash is ${chainHash([a, b])}`,
  );
  assertEquals(await fails([], [hash(c)]), `its certificate is not a pinned one; its hash is ${hash(a)}`);
  assertEquals(await fails([chainHash([b])], [hash(a)]), await fails([chainHash([b])], []));
});
