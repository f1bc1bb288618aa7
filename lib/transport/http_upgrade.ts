/**
 * Xray's `httpupgrade`: a request like that for a WebSocket, after whose answer the connection is plain.
 */
import { MtrayError } from "../errors.ts";
import { textOf } from "../runtime/address.ts";
import type { ByteStream, Target } from "../stream/types.ts";
import { abortable } from "./abortable.ts";
import {
  formatHead,
  formatRequest,
  hasWord,
  type Head,
  lastAnswer,
  parseHead,
  readHead,
  statusOf,
} from "./http_head.ts";
import { sendAway, withFirst } from "./rest.ts";
import type { HttpUpgradeSettings } from "./types.ts";
import { openingFailed } from "./websocket/client.ts";
import { acceptOf, hostOf, isPath } from "./websocket/handshake.ts";

/** Asks for an upgrade. Where it rejects, with `refused` or `unreachable`, the stream is closed. */
export async function openHttpUpgrade(
  stream: ByteStream,
  settings: HttpUpgradeSettings,
  { target, encrypted }: { target: Target; encrypted: boolean },
  signal: AbortSignal,
): Promise<ByteStream> {
  const what = `cannot upgrade HTTP at ${textOf(target)}`;
  const judge = (head: Uint8Array) => {
    const complaint = complaintAbout(parseHead(head));
    if (complaint !== undefined) throw new MtrayError("refused", `${what}: ${complaint}`);
  };
  try {
    return await abortable(stream, signal, async () => {
      await stream.write(request(settings, hostOf(target, encrypted)));
      // Waited for: a server of Xray loses what comes in one read with the request.
      const answer = await readHead(stream);
      if (answer === null) {
        throw new MtrayError("refused", "the server ended the connection instead of answering");
      }
      judge(answer.head);
      return withFirst(stream, answer.rest);
    });
  } catch (error) {
    stream.close();
    if (error instanceof MtrayError && error.message.startsWith(what)) throw error;
    throw openingFailed(what, error);
  }
}

/**
 * Answers a request for an upgrade. Everybody else is told in HTTP that there is nothing here.
 *
 * @param first what was read of the stream already
 * @throws {MtrayError} `protocol`; the stream is left open, with its last word said
 */
export async function acceptHttpUpgrade(
  stream: ByteStream,
  settings: HttpUpgradeSettings,
  first: Uint8Array | undefined,
): Promise<ByteStream> {
  const asked = await readHead(stream, first);
  if (asked === null) throw new MtrayError("closed", "the client left before it asked for anything");
  const head = parseHead(asked.head);
  const [method, target] = head?.line.split(" ") ?? [];
  if (head === null || method !== "GET" || !isPath(target, settings.path) || !upgrades(head)) {
    const status = head === null ? "400 Bad Request" : "404 Not Found";
    await sendAway(stream, lastAnswer(status));
    throw new MtrayError("protocol", `it asked for no upgrade of this port, and was told ${status}`);
  }
  const key = head.headers.get("sec-websocket-key");
  await stream.write(formatHead("HTTP/1.1 101 Switching Protocols", [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ...(key === undefined ? [] : [["Sec-WebSocket-Accept", acceptOf(key)] as const]),
  ]));
  return withFirst(stream, asked.rest);
}

/** Without the key of a WebSocket: sing-box refuses a request that has one. */
function request({ path, host, headers }: HttpUpgradeSettings, dialled: string): Uint8Array {
  return formatRequest(`GET ${path} HTTP/1.1`, host || dialled, {
    ...headers,
    "Connection": "Upgrade",
    "Upgrade": "websocket",
  });
}

function complaintAbout(head: Head | null): string | undefined {
  if (head === null) return "the server did not answer in HTTP";
  const status = statusOf(head);
  if (!status.startsWith("101")) return `the server answered ${status} (wrong path or host?)`;
  if (!upgrades(head)) return "the server switched to something else";
}

function upgrades({ headers }: Head): boolean {
  return hasWord(headers.get("upgrade"), "websocket") && hasWord(headers.get("connection"), "upgrade");
}
