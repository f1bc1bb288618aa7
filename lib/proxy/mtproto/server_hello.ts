/**
 * The proxy's half of FakeTLS: what a TLS 1.3 server sends first, with an HMAC where its `random` stands.
 *
 * Clients check the framing of the three records and the HMAC; everything else is for those who watch the wire, who
 * must see what a site sends. Sources: RFC 8446; tdlib `td/mtproto/TlsInit.cpp`.
 */
import { hmacSha256, sha256 } from "../../crypto/hash.ts";
import { concat } from "../../stream/bytes.ts";
import type { Random } from "../types.ts";

/** In the order in which TLS 1.3 names them; the first that the client offers is taken. */
const TLS13_SUITES = [0x1301, 0x1302, 0x1303];
/** Where `random` stands in the answer. */
const RANDOM = 11;

/** The client's first TLS 1.3 cipher suite; undefined when it offers none. */
export function chooseSuite(offered: number[]): number | undefined {
  return offered.find((suite) => TLS13_SUITES.includes(suite));
}

/**
 * Everything that the proxy says before it is silent until the client goes on: ServerHello, ChangeCipherSpec, and
 * exactly ONE application-data record that stands for the certificate flight.
 */
export function serverHello(options: {
  secret: Uint8Array;
  /** As received. */
  clientRandom: Uint8Array;
  /** 32 bytes, echoed. */
  sessionId: Uint8Array;
  suite: number;
  /** 32 bytes: a real point of the curve, as a server's is. */
  publicKey: Uint8Array;
  /** Random bytes in place of the encrypted certificate. */
  flight: Uint8Array;
}): Uint8Array {
  const { secret, clientRandom, sessionId, suite, publicKey, flight } = options;
  const answer = concat(
    Uint8Array.of(0x16, 0x03, 0x03, 0x00, 0x7a),
    Uint8Array.of(0x02, 0x00, 0x00, 0x76, 0x03, 0x03),
    new Uint8Array(32),
    Uint8Array.of(sessionId.length),
    sessionId,
    Uint8Array.of(suite >> 8, suite & 255, 0x00, 0x00, 0x2e),
    Uint8Array.of(0x00, 0x2b, 0x00, 0x02, 0x03, 0x04),
    Uint8Array.of(0x00, 0x33, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20),
    publicKey,
    Uint8Array.of(0x14, 0x03, 0x03, 0x00, 0x01, 0x01),
    Uint8Array.of(0x17, 0x03, 0x03, flight.length >> 8, flight.length & 255),
    flight,
  );
  answer.set(hmacSha256(secret, clientRandom, answer), RANDOM);
  return answer;
}

/** Smallest certificate flight, and how much larger one may be: what sites with two or three certificates send. */
const SMALLEST_FLIGHT = 2_400, FLIGHT_RANGE = 2_000;
/** A site's flight varies by a few bytes, with its signatures. */
const FLIGHT_JITTER = 8;

/**
 * A length for the certificate flight. A site sends nearly the same one every time, and another site another: so it
 * follows from the secret, with a little jitter.
 */
export function flightLength(secret: Uint8Array, domain: string, random: Random): number {
  const digest = sha256(secret, new TextEncoder().encode(`certificate flight of ${domain}`));
  const usual = SMALLEST_FLIGHT + (digest[0] << 8 | digest[1]) % FLIGHT_RANGE;
  return usual + random(1)[0] % FLIGHT_JITTER;
}
