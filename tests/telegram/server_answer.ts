/**
 * What a FakeTLS server must answer, checked more strictly than any one client does: whatever some client checks,
 * and whatever a stranger could see (facts/mtproto.md 2.4).
 */
import { createHmac } from "node:crypto";
import { concat, equal, hex, unhex, view } from "./bytes.ts";
import type { ClientHello } from "./client_hello.ts";
import { isX25519PublicKey } from "./x25519_point.ts";

export interface ServerAnswer {
  /** The cipher suite chosen. */
  cipher: number;
  /** The x25519 share. */
  publicKey: Uint8Array;
  /** Length of the one application-data record, header aside. */
  flight: number;
}

/** Telegram for iOS reads both lengths of the answer as signed and refuses more than this (MTTcpConnection.m). */
const IOS_LIMIT = 10 * 1024;
const SERVER_HELLO_RECORD = 127;
const CHANGE_CIPHER_SPEC = unhex("14 03 03 00 01 01");
const EXTENSIONS = unhex("00 2b 00 02 03 04  00 33 00 24 00 1d 00 20");

/** Reads the answer's bytes as it needs them, so that not one too many is taken. */
export type ReadExactly = (length: number) => Promise<Uint8Array>;

/** Reads and checks the whole answer. Throws "cannot accept the server's answer: <what is wrong>". */
export async function readServerAnswer(
  read: ReadExactly,
  hello: ClientHello,
  secret: Uint8Array,
): Promise<ServerAnswer> {
  const serverHello = await read(SERVER_HELLO_RECORD);
  const change = await read(CHANGE_CIPHER_SPEC.length);
  expect(equal(change, CHANGE_CIPHER_SPEC), `${hex(change)} instead of ChangeCipherSpec`);
  const header = await read(5);
  expect(
    equal(header.subarray(0, 3), unhex("17 03 03")),
    `${hex(header)} instead of an application-data record`,
  );
  const flight = view(header).getUint16(3);
  expect(flight > 0 && flight <= IOS_LIMIT, `an application-data record of ${flight} bytes`);
  const answer = concat(serverHello, change, header, await read(flight));
  const { cipher, publicKey } = checkServerHello(serverHello, hello);
  checkDigest(answer, hello, secret);
  return { cipher, publicKey, flight };
}

function checkServerHello(record: Uint8Array, hello: ClientHello): { cipher: number; publicKey: Uint8Array } {
  const part = (from: number, to: number) => record.subarray(from, to);
  expect(equal(part(0, 5), unhex("16 03 03 00 7a")), `${hex(part(0, 5))} instead of a handshake record`);
  expect(equal(part(5, 11), unhex("02 00 00 76 03 03")), `${hex(part(5, 11))} instead of a ServerHello`);
  expect(record[43] === 32 && equal(part(44, 76), hello.sessionId), "the session id is not the client's");
  const cipher = view(record).getUint16(76);
  expect([0x1301, 0x1302, 0x1303].includes(cipher), `cipher suite ${cipher.toString(16)} is not TLS 1.3`);
  expect(hello.ciphers.includes(cipher), `cipher suite ${cipher.toString(16)} was not offered`);
  expect(record[78] === 0, "it compresses");
  expect(equal(part(79, 81), unhex("00 2e")), "the extensions are not 46 bytes");
  expect(equal(part(81, 95), EXTENSIONS), `${hex(part(81, 95))} instead of supported_versions and key_share`);
  const publicKey = record.slice(95, 127);
  expect(isX25519PublicKey(publicKey), "the key share is no point that X25519 could have made");
  return { cipher, publicKey };
}

function checkDigest(answer: Uint8Array, hello: ClientHello, secret: Uint8Array): void {
  const digest = answer.slice(11, 43);
  const zeroed = answer.slice();
  zeroed.fill(0, 11, 43);
  const expected = createHmac("sha256", secret).update(hello.random).update(zeroed).digest();
  expect(equal(digest, new Uint8Array(expected)), "its digest is wrong");
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`cannot accept the server's answer: ${otherwise}`);
}
