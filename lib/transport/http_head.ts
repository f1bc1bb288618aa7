import { MtrayError } from "../errors.ts";
import { concat } from "../stream/bytes.ts";
import type { ByteStream } from "../stream/types.ts";

/** The longest head of a request or an answer that is read, in bytes. It has room for early data. */
export const MOST_HEAD = 16 << 10;

/** The first line of a request or an answer, and what stands below. */
export interface Head {
  /** Three words for a request; an answer's reason may have spaces. */
  line: string;
  /** By name in lower case. What stands several times is joined with ", ". */
  headers: Map<string, string>;
}

/** What was read of a stream up to the end of a head, and what came behind it. */
export interface ReadHead {
  head: Uint8Array;
  rest: Uint8Array;
}

/** The first byte behind the empty line that ends a head, or -1 while there is none. */
export function endOfHead(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (at >= 3 && bytes[at - 1] === 13 && bytes[at - 2] === 10 && bytes[at - 3] === 13) return at + 1;
  }
  return -1;
}

/**
 * Reads a head. Nothing that comes behind it is lost.
 *
 * @param first what was read of the stream already
 * @returns null when the peer finished before the first byte
 * @throws {MtrayError} `protocol`, for what is too long or breaks off
 */
export async function readHead(stream: ByteStream, first?: Uint8Array): Promise<ReadHead | null> {
  let bytes: Uint8Array = first ?? new Uint8Array();
  for (let searched = 0;;) {
    const end = endOfHead(bytes, searched);
    if (end >= 0 && end <= MOST_HEAD) return { head: bytes.subarray(0, end), rest: bytes.subarray(end) };
    if (end >= 0 || bytes.length > MOST_HEAD) {
      throw new MtrayError("protocol", `a head of more than ${MOST_HEAD} bytes`);
    }
    searched = Math.max(0, bytes.length - 3);
    if (!await stream.ready()) {
      if (bytes.length === 0) return null;
      throw new MtrayError("protocol", "a head that breaks off");
    }
    bytes = concat(bytes, stream.take());
  }
}

/** @returns null for what is not HTTP */
export function parseHead(bytes: Uint8Array): Head | null {
  const [line, ...rest] = new TextDecoder("latin1").decode(bytes).split("\r\n");
  if (!/^(?:[A-Z]{1,20} \S+ HTTP\/1\.[01]|HTTP\/1\.[01] [1-5][0-9][0-9](?: .*)?)$/.test(line)) return null;
  const headers = new Map<string, string>();
  for (const text of rest) {
    if (text === "") break;
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(text);
    if (parts === null) return null;
    const name = parts[1].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? parts[2] : `${before}, ${parts[2]}`);
  }
  return { line, headers };
}

/** The bytes of a head. Nothing in it may have a line break. */
export function formatHead(line: string, headers: Iterable<readonly [string, string]>): Uint8Array {
  let text = `${line}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return new TextEncoder().encode(`${text}\r\n`);
}

/**
 * The bytes of a request as Go's client writes it, which is what V2Ray sends: the host, the agent, and the others by
 * name. Whoever watches should not see a program of its own kind.
 */
export function formatRequest(line: string, host: string, headers: Record<string, string>): Uint8Array {
  const named = new Map(Object.entries(headers).map(([name, value]) => [canonical(name), value]));
  const agent = named.get("User-Agent") ?? "Go-http-client/1.1";
  named.delete("User-Agent");
  const sorted = [...named].sort(([a], [b]) => a < b ? -1 : 1);
  return formatHead(line, [["Host", host], ["User-Agent", agent], ...sorted]);
}

/** "sec-websocket-key" -> "Sec-Websocket-Key", but for the one name that Go's WebSocket clients spell as the RFC does. */
function canonical(name: string): string {
  const words = name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
  return words.replace(/^Sec-Websocket-/, "Sec-WebSocket-");
}

/** Whether a list such as "keep-alive, Upgrade" has a word, in any case. */
export function hasWord(list: string | undefined, word: string): boolean {
  return (list ?? "").split(",").some((each) => each.trim().toLowerCase() === word);
}

/** The words of an answer's first line behind the version: "404 Not Found". */
export function statusOf({ line }: Head): string {
  return line.slice(line.indexOf(" ") + 1);
}

/** An answer that has no body and no sequel. */
export function lastAnswer(status: string): Uint8Array {
  return formatHead(`HTTP/1.1 ${status}`, [["Content-Length", "0"], ["Connection", "close"]]);
}
