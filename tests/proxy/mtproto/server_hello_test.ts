import { assert, assertEquals } from "@std/assert";
import { chooseSuite, flightLength, serverHello } from "../../../lib/proxy/mtproto/server_hello.ts";
import { randomBytes, x25519PublicKey } from "../../../lib/crypto/random.ts";
import { toHex } from "../../../lib/stream/bytes.ts";
import { hex } from "../../support.ts";
import { buildClientHello } from "../../telegram/client_hello.ts";
import { readServerAnswer } from "../../telegram/server_answer.ts";
import { isX25519PublicKey } from "../../telegram/x25519_point.ts";

const secret = Uint8Array.from({ length: 16 }, (_, i) => i);

Deno.test("the answer of the vector", () => {
  const answer = serverHello({
    secret,
    clientRandom: hex("72d06617e225c78f9ca6280a0dfbf1e48e4b1de6144acf0dffd82e16ffb28e40"),
    sessionId: Uint8Array.from({ length: 32 }, (_, i) => i),
    suite: 0x1301,
    publicKey: new Uint8Array(32).fill(0x42),
    flight: new Uint8Array(1000).fill(0xaa),
  });
  assertEquals(answer.length, 1138);
  assertEquals(
    toHex(answer.subarray(11, 43)),
    "3a49d85e605dfdf4afe9c2a20bcf667c6e315d9812f847f72ba1135292c6d664",
  );
});

Deno.test("a strict client takes the answer", async () => {
  const hello = buildClientHello({ secret, domain: "example.com" });
  const answer = serverHello({
    secret,
    clientRandom: hello.random,
    sessionId: hello.sessionId,
    suite: 0x1302,
    publicKey: await x25519PublicKey(),
    flight: randomBytes(3000),
  });
  let at = 0;
  const read = (length: number) => Promise.resolve(answer.slice(at, at += length));
  const { cipher, flight } = await readServerAnswer(read, hello, secret);
  assertEquals([cipher, flight, at], [0x1302, 3000, answer.length]);
});

Deno.test("the client's first TLS 1.3 suite is taken", () => {
  assertEquals(chooseSuite([0x0a0a, 0xc02b, 0x1303, 0x1301]), 0x1303);
  assertEquals(chooseSuite([0x1301, 0x1302]), 0x1301);
  assertEquals(chooseSuite([0xc02b, 0x1304]), undefined);
});

Deno.test("a site's certificate flight keeps its length, and another site has another", () => {
  const lengths = Array.from({ length: 50 }, () => flightLength(secret, "example.com", randomBytes));
  assert(Math.max(...lengths) - Math.min(...lengths) < 8);
  assert(lengths.every((length) => length >= 2_400 && length < 4_500));
  const sites = new Set(
    Array.from({ length: 50 }, (_, i) => flightLength(secret, `site${i}.example`, randomBytes)),
  );
  assert(sites.size > 30);
});

Deno.test("public keys are points of the curve", async () => {
  for (let i = 0; i < 20; i++) assert(isX25519PublicKey(await x25519PublicKey()));
});
