/** Heads of HTTP/1 messages, byte for byte: nothing of what they say is decoded (RFC 9112). */
import { MtrayError } from "../../errors.ts";

/** The longest head that is taken, in bytes. */
export const LONGEST_HEAD = 32 << 10;

/** A request's or a response's first line and its headers. */
export interface Head {
  /** Three words, of which the last of a response may hold blanks or be empty. */
  first: [string, string, string];
  headers: Header[];
  /** Bytes of the head, with the empty line. */
  used: number;
}

export type Header = [name: string, value: string];

/**
 * The head that bytes begin with, or null while it has no end.
 *
 * @throws {MtrayError} `protocol` when they begin with something else
 */
export function parseHead(bytes: Uint8Array): Head | null {
  const end = endOfHead(bytes);
  if (end < 0) return null;
  const lines = textOf(bytes.subarray(0, end - 4)).split("\r\n");
  const first = /^([!-~]+) ([!-~]+)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(lines[0]);
  if (first === null) throw malformed("its first line is none");
  const headers = lines.slice(1).map((line): Header => {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (parts === null) throw malformed("a line is no header");
    return [parts[1], parts[2]];
  });
  return { first: [first[1], first[2], first[3] ?? ""], headers, used: end };
}

/** The bytes of a head. */
export function formatHead(first: readonly string[], headers: readonly Header[]): Uint8Array {
  const lines = [first.join(" "), ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  return bytesOf(lines.join("\r\n"));
}

/** The values of a header, in any case of its name. */
export function valuesOf(headers: readonly Header[], name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

/** Headers without those that belong to one connection and not to the message (RFC 9110, 7.6.1). */
export function withoutHops(headers: readonly Header[]): Header[] {
  const named = valuesOf(headers, "connection").flatMap((value) => value.toLowerCase().split(","));
  const hops = new Set([...HOPS, ...named.map((name) => name.trim())]);
  // They say how long the body is, whatever a Connection header claims.
  for (const framing of ["transfer-encoding", "content-length", "host"]) hops.delete(framing);
  return headers.filter(([name]) => !hops.has(name.toLowerCase()));
}

const HOPS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
];

/** How many bytes belong to a request's body: so many, or as many as its chunks say. */
export type BodyLength = number | "chunked";

/** @throws {MtrayError} `protocol` when the headers contradict each other: somebody else would read them otherwise */
export function bodyLengthOf(headers: readonly Header[]): BodyLength {
  const encodings = valuesOf(headers, "transfer-encoding");
  const lengths = valuesOf(headers, "content-length");
  if (encodings.length > 0) {
    if (lengths.length > 0) throw malformed("it has two lengths");
    if (encodings.length > 1 || encodings[0].toLowerCase() !== "chunked") {
      throw malformed("its transfer encoding is not chunked");
    }
    return "chunked";
  }
  if (lengths.length === 0) return 0;
  if (lengths.some((length) => length !== lengths[0]) || !/^[0-9]{1,15}$/.test(lengths[0])) {
    throw malformed("its length is none");
  }
  return Number(lengths[0]);
}

/** The offset behind the empty line, or -1. */
function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(10, 3); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] === 13 && bytes[at - 2] === 10 && bytes[at - 3] === 13) return at + 1;
  }
  return -1;
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Of text whose characters stand for bytes. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function malformed(why: string): MtrayError {
  return new MtrayError("protocol", `cannot read the head: ${why}`);
}
