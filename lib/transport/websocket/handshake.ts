/**
 * The request and the answer that make a WebSocket of an HTTP connection, RFC 6455 section 4, as bytes.
 */
import { sha1 } from "../../crypto/hash.ts";
import type { Target } from "../../stream/types.ts";
import { formatHead, formatRequest, hasWord, type Head, statusOf } from "../http_head.ts";
import type { WebSocketSettings } from "../types.ts";
import { decodeEarlyData, encodeEarlyData, XRAY_HEADER } from "./early_data.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What a server must answer to a key. */
export function acceptOf(key: string): string {
  return base64(sha1(new TextEncoder().encode(key + GUID)));
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/**
 * The host that a request names where the config gives none: that of the dial, with the port unless it is the usual.
 */
export function hostOf({ host, port }: Target, encrypted: boolean): string {
  const plain = host.includes(":") ? `[${host}]` : host;
  return port === (encrypted ? 443 : 80) ? plain : `${plain}:${port}`;
}

/**
 * The request for a WebSocket.
 *
 * @param early goes into the request; empty for none
 */
export function clientRequest(
  settings: WebSocketSettings,
  { host, key, early }: { host: string; key: string; early: Uint8Array },
): Uint8Array {
  const { path, headers, earlyDataHeaderName } = settings;
  const data = early.length > 0 ? encodeEarlyData(early) : "";
  const named = earlyDataHeaderName !== "";
  return formatRequest(`GET ${path}${named ? "" : data} HTTP/1.1`, settings.host || host, {
    ...headers,
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
    ...(named && data !== "" && { [earlyDataHeaderName]: data }),
  });
}

/** Why a server's answer is not what was asked for; nothing where it is. */
export function complaintAboutAnswer(head: Head | null, key: string): string | undefined {
  if (head === null) return "the server did not answer in HTTP";
  const status = statusOf(head);
  if (!status.startsWith("101")) {
    return `the server answered ${status} to the WebSocket request (wrong path or host?)`;
  }
  if (
    !hasWord(head.headers.get("upgrade"), "websocket") || !hasWord(head.headers.get("connection"), "upgrade")
  ) {
    return "the server switched to something else than WebSocket";
  }
  if (head.headers.get("sec-websocket-accept") !== acceptOf(key)) {
    return "the server's answer belongs to another WebSocket request (a cache on the way?)";
  }
}

/** What a client asked for. */
export interface Asked {
  key: string;
  early: Uint8Array;
  /** Header that must be given back, for a client that would not go on without. */
  echo?: [string, string];
}

/** What a request asks for, or the status that it must be answered with. */
export function judgeRequest(head: Head | null, settings: WebSocketSettings): Asked | string {
  if (head === null) return "400 Bad Request";
  const [method, target] = head.line.split(" ");
  const { headers } = head;
  const key = headers.get("sec-websocket-key") ?? "";
  const early = earlyData(target, headers, settings);
  const asks = method === "GET" && hasWord(headers.get("upgrade"), "websocket") &&
    hasWord(headers.get("connection"), "upgrade");
  if (early === null || !asks) return "404 Not Found";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key) || headers.get("sec-websocket-version") !== "13") {
    return "400 Bad Request";
  }
  return { key, ...early };
}

/** The answer to a request that is granted. */
export function serverAnswer({ key, echo }: Asked): Uint8Array {
  return formatHead("HTTP/1.1 101 Switching Protocols", [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", acceptOf(key)],
    ...(echo === undefined ? [] : [echo]),
  ]);
}

/** Null where the path is not ours. */
function earlyData(
  target: string,
  headers: Map<string, string>,
  { path, maxEarlyData, earlyDataHeaderName }: WebSocketSettings,
): Omit<Asked, "key"> | null {
  if (maxEarlyData > 0 && earlyDataHeaderName === "") {
    const early = target.startsWith(path) ? decodeEarlyData(target.slice(path.length)) : null;
    return early === null ? null : { early };
  }
  if (!isPath(target, path)) return null;
  // Xray's clients need no word about it in a server's config.
  const name = maxEarlyData > 0 ? earlyDataHeaderName : XRAY_HEADER;
  const value = headers.get(name.toLowerCase()) ?? "";
  const early = decodeEarlyData(value);
  if (early === null || early.length === 0) return { early: new Uint8Array() };
  return name.toLowerCase() === XRAY_HEADER.toLowerCase() ? { early, echo: [XRAY_HEADER, value] } : { early };
}

/** Whether a request's target is the path of the config; what follows a question mark does not count. */
export function isPath(target: string, path: string): boolean {
  const [asked] = target.split("?", 1);
  const [wanted] = path.split("?", 1);
  return asked === wanted || decoded(asked) === decoded(wanted);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
