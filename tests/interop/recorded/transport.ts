/** Takes what surrounds VMess off a recording: SOCKS5, HTTP, WebSocket frames. */
// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { endOfHead, hasWord, type Head, parseHead } from "../../../lib/transport/http_head.ts";
import { FrameReader } from "../../../lib/transport/websocket/frames.ts";
import { complaintAboutAnswer, isPath, judgeRequest } from "../../../lib/transport/websocket/handshake.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { fromLines, type Recording } from "./recording.ts";

/** Bytes of SOCKS5 that lead to an IPv4 address: greeting and request, and what answers them. */
const SOCKS_CLIENT = 3 + 10, SOCKS_SERVER = 2 + 10;

const PATH = "/tunnel", HOST = "front.example";
/** The case that has its early data there, which a server must be told. */
const EARLY_IN_PATH = "sing-ws-early-path";
const NORMAL_CLOSURE = Uint8Array.of(1000 >> 8, 1000 & 255);

/** Both directions. */
interface Bytes {
  client: Uint8Array;
  server: Uint8Array;
}

/** What the VMess client and server said. */
export function withoutTransport(recording: Recording): Bytes {
  let client = fromLines(recording.clientBytes), server = fromLines(recording.serverBytes);
  if (recording.case === "xray-dialer-proxy") {
    client = client.subarray(SOCKS_CLIENT);
    server = server.subarray(SOCKS_SERVER);
  }
  if (/-(ws|dialer)/.test(recording.case)) return withoutWebSocket({ client, server }, recording.case);
  return recording.case.includes("httpupgrade") ? withoutUpgrade({ client, server }) : { client, server };
}

function withoutWebSocket({ client, server }: Bytes, name: string): Bytes {
  const request = cutHead(client), answer = cutHead(server);
  const asked = judgeRequest(request.head, {
    path: PATH,
    host: HOST,
    headers: {},
    maxEarlyData: name === EARLY_IN_PATH ? 2048 : 0,
    earlyDataHeaderName: "",
  });
  if (typeof asked === "string") throw new Error(`cannot read a request: it would be told ${asked}`);
  assertEquals(asked.early.length > 0, /-early(?!-too-long)/.test(name));
  assertEquals(request.head.headers.get("host"), HOST);
  assertEquals(complaintAboutAnswer(answer.head, asked.key), undefined);
  return { client: concat(asked.early, payload(request.rest, true)), server: payload(answer.rest, false) };
}

function withoutUpgrade({ client, server }: Bytes): Bytes {
  const request = cutHead(client), answer = cutHead(server);
  assertEquals(request.head.headers.get("host"), HOST);
  assert(isPath(request.head.line.split(" ")[1], PATH));
  for (const { headers } of [request.head, answer.head]) {
    assert(hasWord(headers.get("connection"), "upgrade") && hasWord(headers.get("upgrade"), "websocket"));
  }
  return { client: request.rest, server: answer.rest };
}

function cutHead(bytes: Uint8Array): { head: Head; rest: Uint8Array } {
  const end = endOfHead(bytes);
  const head = parseHead(bytes.subarray(0, end));
  if (head === null) throw new Error("cannot read a head: it is no HTTP");
  return { head, rest: bytes.subarray(end) };
}

/** The same for frames that come as a whole and byte by byte. */
function payload(bytes: Uint8Array, masked: boolean): Uint8Array {
  const whole = readFrames([bytes], masked);
  assertEquals(readFrames(Array.from(bytes, (byte) => Uint8Array.of(byte)), masked), whole);
  return whole;
}

function readFrames(pieces: Uint8Array[], masked: boolean): Uint8Array {
  const reader = new FrameReader(masked);
  const parts: Uint8Array[] = [];
  let closed = false;
  for (const piece of pieces) {
    if (closed) break;
    const data = reader.read(piece.slice(), ({ payload }) => {
      assertEquals(payload.slice(), NORMAL_CLOSURE);
      closed = true;
    });
    parts.push(data.slice());
  }
  assert(reader.between);
  return concat(...parts);
}
