/**
 * V2Ray's HTTP camouflage for TCP, the client's side: a request in front of the first bytes, an answer in front of the
 * first that come back. Neither means anything.
 */
import type { Random } from "../proxy/types.ts";
import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { formatHead } from "./http_head.ts";
import { SkippingStream } from "./skipping_stream.ts";
import type { HttpHeaderSettings } from "./types.ts";

/** What V2Ray says where its config leaves the headers out. */
export const USUAL_HEADERS: Record<string, string[]> = {
  "Host": ["www.baidu.com", "www.bing.com"],
  "User-Agent": [
    "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/53.0.2785.143 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 10_0_2 like Mac OS X) AppleWebKit/601.1 (KHTML, like Gecko) CriOS/53.0.2785.109 Mobile/14A456 Safari/601.1.46",
  ],
  "Accept-Encoding": ["gzip, deflate"],
  "Connection": ["keep-alive"],
  "Pragma": ["no-cache"],
};

/** Puts the camouflage on a stream. Nothing is sent before the first write. */
export function withHttpHeader(stream: ByteStream, settings: HttpHeaderSettings, random: Random): ByteStream {
  return new SkippingStream(stream, judge, request(settings, random));
}

function request({ method, version, paths, headers }: HttpHeaderSettings, random: Random): Uint8Array {
  const draw = (values: string[]) => values[random(1)[0] % values.length];
  const list = Object.entries(headers).filter(([, values]) => values.length > 0)
    .map(([name, values]): [string, string] => [name, draw(values)]);
  return formatHead(`${method} ${draw(paths)} HTTP/${version}`, list);
}

function judge(head: Uint8Array): void {
  // V2Ray's server says 404 or 400 to a path that it does not know, and then hangs up.
  const line = new TextDecoder("latin1").decode(head.subarray(0, head.indexOf(13)));
  const status = /^HTTP\/[0-9.]+ ([45][0-9][0-9].*)$/.exec(line)?.[1];
  if (status !== undefined) {
    throw new MtrayError("refused", `the server answered ${status} to the http header (wrong path?)`);
  }
}
