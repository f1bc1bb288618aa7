/** What real programs said to each other, taken apart with our codec: tests/interop/recorded/README.md. */
// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { cryptoProvider, workingProviders } from "../../../lib/crypto/provider.ts";
import type { CryptoProvider } from "../../../lib/crypto/types.ts";
import { Account } from "../../../lib/proxy/vmess/account.ts";
import { type BodyKeys, formatOf, PaddingSource } from "../../../lib/proxy/vmess/body.ts";
import { ChunkReader } from "../../../lib/proxy/vmess/chunk_reader.ts";
import { ChunkWriter } from "../../../lib/proxy/vmess/chunk_writer.ts";
import { encodeHeader, type RequestHeader } from "../../../lib/proxy/vmess/header.ts";
import { parseId } from "../../../lib/proxy/vmess/id.ts";
import { FrameReader, type ReadHead } from "../../../lib/proxy/vmess/mux/frame.ts";
import { RequestOpener, sealHeader } from "../../../lib/proxy/vmess/request.ts";
import { responseKeys, ResponseOpener, sealResponse } from "../../../lib/proxy/vmess/response.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { loadRecordings } from "../../interop/recorded/load.ts";
import { type Exchange, payload, payloadBytes, type Recording } from "../../interop/recorded/recording.ts";
import { expectedHeader } from "../../interop/recorded/expected.ts";
import { withoutTransport } from "../../interop/recorded/transport.ts";

/** The nonce of a header begins here, and the header itself. */
const NONCE = 34, HEADER = 42;
/** The answer's header, when the server has nothing to say in it. */
const RESPONSE = 38;

/** A client that asks for packetaddr, which mtray has not, names a port that cannot be. */
const REFUSED = "sing-packetaddr";

for (const recording of loadRecordings()) {
  if (recording.case === REFUSED) {
    Deno.test(`${recording.case} is refused`, () => {
      const opener = new RequestOpener(new Account(parseId(recording.uuid)), cryptoProvider());
      assertEquals(opener.open(withoutTransport(recording).client), { kind: "wrong", why: "names port 0" });
    });
    continue;
  }
  Deno.test(`${recording.case}: ${recording.about}`, async () => {
    for (const { seed, length, sha256 } of recording.exchanges.flatMap(({ up, down }) => [up, down])) {
      assertEquals((await payload(seed, length)).sha256, sha256);
    }
    for (const crypto of workingProviders()) takeApart(recording, crypto);
  });
}

function takeApart(recording: Recording, crypto: CryptoProvider): void {
  const { client, server } = withoutTransport(recording);
  const { header, used } = readHeader(recording, client, crypto);
  const answerKeys = responseKeys(header);
  const opener = new ResponseOpener(answerKeys, header.check, crypto);
  const answer = opener.read(server);
  assert(answer !== null);
  if (recording.server.program === "xray") {
    assertEquals(server.subarray(0, RESPONSE), sealResponse(answerKeys, header.check, crypto));
  }

  const up: Direction = { side: "up", keys: { key: header.key, iv: header.iv, request: header } };
  const down: Direction = { side: "down", keys: { ...answerKeys, request: header } };
  for (const [direction, body] of [[up, client.subarray(used)], [down, answer]] as const) {
    const whole = readBody(header, direction, crypto, [body]);
    for (const size of [1, 7, 1460]) {
      assertEquals(readBody(header, direction, crypto, pieces(body, size)).texts, whole.texts);
    }
    compare(recording, header, direction.side, whole.texts);
    if (isNeverEnded(recording, direction.side)) assertEquals(whole.ended, false);
    writeAgain(header, direction, crypto, whole, body);
  }
}

/** Opens the request's header, and makes it again where its padding is known. */
function readHeader(
  recording: Recording,
  client: Uint8Array,
  crypto: CryptoProvider,
): { header: RequestHeader; used: number } {
  const account = new Account(parseId(recording.uuid));
  const time = account.authIds.open(client.subarray(0, 16));
  assert(time !== null && Math.abs(time - recording.time) <= 2, `its time is ${time}`);
  assertEquals(new Account(parseId("another")).authIds.open(client.subarray(0, 16)), null);

  const opening = new RequestOpener(account, crypto).open(client);
  assert(opening.kind === "header", JSON.stringify(opening));
  const { header, used } = opening;
  const { options, security, command, target } = header;
  assertEquals({ options, security, command, target }, expectedHeader(recording));

  const inPieces = new RequestOpener(account, crypto);
  for (let length = 0; length < used; length++) {
    assertEquals(inPieces.open(client.subarray(0, length)).kind, "more");
  }
  assertEquals(inPieces.open(client.subarray(0, used)), opening);

  if (recording.client.program === "sing-box") {
    const bare = encodeHeader(header, new Uint8Array()).length;
    const plain = encodeHeader(header, new Uint8Array(used - HEADER - 16 - bare));
    const seed = { account, authId: client.subarray(0, 16), nonce: client.subarray(NONCE, HEADER) };
    assertEquals(sealHeader(plain, seed, crypto), client.slice(0, used));
  }
  return opening;
}

interface Direction {
  side: "up" | "down";
  keys: BodyKeys;
}

interface Body {
  /** Of each chunk; where there are none, of each piece. */
  texts: Uint8Array[];
  ended: boolean;
}

function readBody(
  header: RequestHeader,
  { keys }: Direction,
  crypto: CryptoProvider,
  input: Uint8Array[],
): Body {
  const format = formatOf(header);
  if (!format.chunked) return { texts: [concat(...input)], ended: false };
  const reader = new ChunkReader(format, keys, crypto);
  const texts: Uint8Array[] = [];
  for (const piece of input) {
    reader.feed(piece.slice());
    for (let text; (text = reader.next()) !== null;) texts.push(text.slice());
  }
  assertEquals(reader.inside, false);
  reader.close();
  return { texts, ended: reader.ended };
}

/** Chunks without padding have one form only. */
function writeAgain(
  header: RequestHeader,
  { keys }: Direction,
  crypto: CryptoProvider,
  { texts, ended }: Body,
  body: Uint8Array,
): void {
  const format = formatOf(header);
  if (!format.chunked || format.padding) return;
  const padding = new PaddingSource((length) => new Uint8Array(length));
  const writer = new ChunkWriter(format, keys, { crypto, padding, datagrams: true });
  const chunks = texts.map((text) => {
    const out = new Uint8Array(writer.wireLength(text.length));
    return out.slice(0, writer.put(text, undefined, out, 0));
  });
  assertEquals(concat(...chunks, ended ? writer.end() : new Uint8Array()), body.slice());
  writer.close();
}

function compare(
  { exchanges }: Recording,
  { command }: RequestHeader,
  side: "up" | "down",
  texts: Uint8Array[],
): void {
  const plain = exchanges.map((exchange) => payloadBytes(exchange[side]));
  if (command === "tcp") assertEquals(concat(...texts), plain[0]);
  else if (command === "udp") assertEquals(texts, plain);
  else compareSessions(exchanges, side, concat(...texts));
}

/** Mux.Cool and XUDP: streams are joined by session, datagrams stand alone and name their address. */
function compareSessions(exchanges: Exchange[], side: "up" | "down", bytes: Uint8Array): void {
  const streams = new Map<number, Uint8Array[]>();
  const datagrams: { data: Uint8Array; to: unknown }[] = [];
  const opened = new Map<number, ReadHead>();
  const reader = new FrameReader();
  reader.feed(bytes);
  for (let piece; (piece = reader.next()) !== null;) {
    const { head, data } = piece;
    if (head.status === "new") {
      assertEquals(opened.has(head.id), false);
      opened.set(head.id, head);
    }
    if (data === null) continue;
    if (head.network === "udp") datagrams.push({ data: data.slice(), to: head.target });
    else streams.set(head.id, [...streams.get(head.id) ?? [], data]);
  }
  assertEquals(reader.inside, false);

  const of = (network: string) => exchanges.filter((exchange) => exchange.network === network);
  const joined = [...streams].sort(([a], [b]) => a - b).map(([, parts]) => concat(...parts));
  assertEquals(joined, of("tcp").map((exchange) => payloadBytes(exchange[side])));
  assertEquals(
    datagrams,
    of("udp").map((exchange) => ({
      data: payloadBytes(exchange[side]),
      to: { host: exchange.host, port: exchange.port },
    })),
  );
  if (side === "down") assertEquals(opened.size, 0);
  else {
    const targets = [...opened.values()].filter(({ network }) => network === "tcp").map(({ target }) =>
      target
    );
    assertEquals(targets, of("tcp").map(({ host, port }) => ({ host, port })));
  }
}

/** sing-box never says that a stream has ended, and Xray's client can be told not to. */
function isNeverEnded({ client, server }: Recording, side: "up" | "down"): boolean {
  const sender = side === "up" ? client : server;
  return sender.program === "sing-box" || JSON.stringify(sender.config).includes("NoTerminationSignal");
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}
