import type { ErrorCode } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import { formatHead, type Header } from "./head.ts";

const RESPONSES = {
  400: ["Bad Request", "This is a proxy, and it cannot read the request."],
  403: ["Forbidden", "This proxy does not go there."],
  407: ["Proxy Authentication Required", "This proxy asks for a user and a password."],
  408: ["Request Timeout", "The request did not come in time."],
  502: ["Bad Gateway", "The server cannot be reached."],
  503: ["Service Unavailable", "This proxy has no way there."],
  504: ["Gateway Timeout", "The server did not answer in time."],
} as const;

/** An answer of the proxy's own, with a sentence for people. The connection ends with it. */
export function response(status: keyof typeof RESPONSES): Uint8Array {
  const [reason, sentence] = RESPONSES[status];
  const body = new TextEncoder().encode(`${sentence}\n`);
  const headers: Header[] = [
    ["Content-Type", "text/plain"],
    ["Content-Length", String(body.length)],
    ["Connection", "close"],
  ];
  if (status === 407) headers.push(["Proxy-Authenticate", 'Basic realm="proxy"']);
  return concat(formatHead(["HTTP/1.1", String(status), reason], headers), body);
}

/** What a client is told of an error on the way out. */
export function responseTo(code: ErrorCode): Uint8Array {
  return response(STATUS[code] ?? 503);
}

const STATUS: Partial<Record<ErrorCode, keyof typeof RESPONSES>> = {
  "blocked": 403,
  "closed": 502,
  "protocol": 502,
  "refused": 502,
  "reset": 502,
  "unreachable": 502,
  "timed-out": 504,
};

/** What a client hears once its tunnel is open. */
export function established(): Uint8Array {
  return formatHead(["HTTP/1.1", "200", "Connection established"], []);
}
