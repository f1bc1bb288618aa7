import * as v from "valibot";
import { complain, oneOf, read, whole, withoutEffect } from "../../settings/words.ts";
import { USUAL_HEADERS } from "../http_header.ts";
import type { HttpHeaderSettings, HttpUpgradeSettings, WebSocketSettings } from "../types.ts";
import { XRAY_HEADER } from "../websocket/early_data.ts";
import { headerMap, lineText, networkList, textList } from "./words.ts";

/** What servers take in the head of a request, with room for the rest of it. */
const MOST_EARLY = 8192;

const behindProxy = {
  acceptProxyProtocol: v.optional(v.boolean(), false),
  trustedProxies: v.optional(networkList(), []),
};

const path = read(v.string(), (text) => {
  if (!/^[\x21-\x7e]*$/.test(text)) complain("must be a path without spaces, others than letters as %XX");
  return text.startsWith("/") ? text : `/${text}`;
});

/** `wsSettings`. */
export const wsSettings = v.pipe(
  v.object({
    path: v.optional(path, "/"),
    host: v.optional(lineText(), ""),
    headers: v.optional(headerMap(lineText()), {}),
    maxEarlyData: v.optional(whole(0, MOST_EARLY), 0),
    earlyDataHeaderName: v.optional(
      read(v.string(), (name) => /^[\w-]*$/.test(name) ? name : complain("must be the name of a header")),
      "",
    ),
    heartbeatPeriod: withoutEffect(
      "has no effect: mtray sends no pings. A web server in between may end silent connections: raise its timeout",
    ),
    ...behindProxy,
  }),
  v.transform((found) => {
    const { path, early } = withoutEd(found.path);
    const ofXray = early > 0 && found.maxEarlyData === 0;
    const settings: WebSocketSettings = {
      path,
      ...hostAndHeaders(found),
      maxEarlyData: ofXray ? Math.min(early, MOST_EARLY) : found.maxEarlyData,
      earlyDataHeaderName: ofXray ? XRAY_HEADER : found.earlyDataHeaderName,
    };
    return { settings, ...found };
  }),
);

/** `httpupgradeSettings`. */
export const httpUpgradeSettings = v.pipe(
  v.object({
    path: v.optional(path, "/"),
    host: v.optional(lineText(), ""),
    headers: v.optional(headerMap(lineText()), {}),
    ...behindProxy,
  }),
  v.transform((found) => {
    // With "ed" Xray's clients do not wait for the answer, which saves a round trip and may lose data.
    const settings: HttpUpgradeSettings = { path: withoutEd(found.path).path, ...hostAndHeaders(found) };
    return { settings, ...found };
  }),
);

const request = v.object({
  version: v.optional(lineText(), "1.1"),
  method: v.optional(
    read(v.string(), (text) => /^[A-Za-z]{1,20}$/.test(text) ? text : complain("must be a method of HTTP")),
    "GET",
  ),
  path: v.optional(v.pipe(textList(), v.array(path)), []),
  headers: v.optional(headerMap(v.pipe(textList(), v.array(lineText()))), {}),
});

/** `tcpSettings`, or `rawSettings`. */
export const tcpSettings = v.pipe(
  v.object({
    header: v.optional(
      v.object({
        type: v.optional(oneOf(["none", "http"]), "none"),
        request: v.optional(request),
        // Whoever answers says it: a client only skips it.
        response: v.optional(v.unknown()),
      }),
      {},
    ),
    ...behindProxy,
  }),
  v.transform((found) => ({ ...found, httpHeader: httpHeaderOf(found.header) })),
);

function httpHeaderOf(
  header: { type: "none" | "http"; request?: v.InferOutput<typeof request> },
): HttpHeaderSettings | undefined {
  if (header.type === "none") return undefined;
  const { version, method, path, headers } = header.request ?? v.parse(request, {});
  return {
    version,
    method,
    paths: path.length > 0 ? path : ["/"],
    headers: Object.keys(headers).length > 0 ? headers : USUAL_HEADERS,
  };
}

/** Xray's newer key for the host comes before V2Ray's header. */
function hostAndHeaders({ host, headers }: { host: string; headers: Record<string, string> }) {
  const isHost = (name: string) => name.toLowerCase() === "host";
  const named = Object.entries(headers).find(([name]) => isHost(name))?.[1] ?? "";
  return {
    host: host || named,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !isHost(name))),
  };
}

/** Xray writes the bounds of early data into the path: "/path?ed=2048". No server is told of it. */
function withoutEd(path: string): { path: string; early: number } {
  const [plain, query] = split(path, "?");
  if (query === undefined) return { path, early: 0 };
  const parts = query.split("&");
  const early = Number(parts.find((part) => /^ed=\d{1,9}$/.test(part))?.slice(3) ?? 0);
  const kept = parts.filter((part) => !/^ed(=|$)/.test(part)).join("&");
  return { path: kept === "" ? plain : `${plain}?${kept}`, early };
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
