/** The messages of SOCKS 5 (RFC 1928, RFC 1929), 4 and 4a. Bytes in, bytes out. */
import ipaddr from "ipaddr.js";
import { MtrayError } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import type { Target } from "../../stream/types.ts";
import { requestedHost } from "../requested_host.ts";

export const METHOD = { none: 0, password: 2, unacceptable: 0xff } as const;
export const COMMAND = { connect: 1, bind: 2, associate: 3 } as const;
export const REPLY = {
  granted: 0,
  failure: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  expired: 6,
  commandUnknown: 7,
  addressUnknown: 8,
} as const;
export const REPLY4 = { granted: 0x5a, failure: 0x5b } as const;

/** The longest message of a client: a name and a password of 255 bytes. SOCKS 4a sets no limits; these are ours. */
export const LONGEST = 1024;

const NOWHERE: Target = { host: "0.0.0.0", port: 0 };
const IPV4 = 1, NAME = 3, IPV6 = 4;

/** What a client of SOCKS 5 says first. */
export function parseGreeting(bytes: Uint8Array): { methods: number[]; used: number } | null {
  checkVersion(bytes, "greeting");
  if (bytes.length < 2) return null;
  const used = 2 + bytes[1];
  return bytes.length < used ? null : { methods: [...bytes.subarray(2, used)], used };
}

export interface Login {
  user: string;
  pass: string;
  used: number;
}

/** Whoever a client says it is. */
export function parseLogin(bytes: Uint8Array): Login | null {
  checkVersion(bytes, "login", 1);
  const passAt = 2 + bytes[1];
  const used = passAt + 1 + bytes[passAt];
  // Of what is not there yet nothing is known.
  if (!(bytes.length >= used)) return null;
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  return { user: text(2, passAt), pass: text(passAt + 1, used), used };
}

export interface Request {
  command: number;
  /** Null: of a kind that is not known, or a name that nothing can have. Its port may be 0. */
  target: Target | null;
  used: number;
}

/** What a client of SOCKS 5 asks for. */
export function parseRequest(bytes: Uint8Array): Request | null {
  checkVersion(bytes, "request");
  if (bytes.length < 4) return null;
  const found = parseAddress(bytes, 3);
  return found && { command: bytes[1], target: found.target, used: found.end };
}

/** What a client of SOCKS 4 or 4a asks for. */
export function parseRequest4(bytes: Uint8Array): Request | null {
  if (bytes.length < 9) return null;
  const [, command, high, low, a, b, c, d] = bytes;
  const userEnd = bytes.indexOf(0, 8);
  if (userEnd < 0) return null;
  const port = high << 8 | low;
  if (a !== 0 || b !== 0 || c !== 0 || d === 0) {
    return { command, target: { host: `${a}.${b}.${c}.${d}`, port }, used: userEnd + 1 };
  }
  const nameEnd = bytes.indexOf(0, userEnd + 1);
  if (nameEnd < 0) return null;
  const host = requestedHost(new TextDecoder().decode(bytes.subarray(userEnd + 1, nameEnd)));
  return { command, target: host === null ? null : { host, port }, used: nameEnd + 1 };
}

/** A server's answer to a request. */
export function reply(code: number, bound: Target = NOWHERE): Uint8Array {
  return concat(Uint8Array.of(5, code, 0), addressBytes(bound));
}

/** The same for SOCKS 4, whose answer says nothing about addresses. */
export function reply4(code: number): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0);
}

/** A client's greeting. */
export function greeting(methods: readonly number[]): Uint8Array {
  return Uint8Array.of(5, methods.length, ...methods);
}

/** A client's login. User and password are 1–255 bytes each. */
export function login(user: string, pass: string): Uint8Array {
  const [u, p] = [user, pass].map((text) => new TextEncoder().encode(text));
  return concat(Uint8Array.of(1, u.length), u, Uint8Array.of(p.length), p);
}

/** A client's request. */
export function request(command: number, target: Target): Uint8Array {
  return concat(Uint8Array.of(5, command, 0), addressBytes(target));
}

/** A server's choice of a method. */
export function parseChoice(bytes: Uint8Array): { method: number; used: number } | null {
  checkVersion(bytes, "answer");
  if (bytes.length < 2) return null;
  return { method: bytes[1], used: 2 };
}

/** A server's answer to a login. */
export function parseLoginAnswer(bytes: Uint8Array): { accepted: boolean; used: number } | null {
  return bytes.length < 2 ? null : { accepted: bytes[1] === 0, used: 2 };
}

/** A server's answer to a request. */
export function parseReply(bytes: Uint8Array): { code: number; bound: Target | null; used: number } | null {
  checkVersion(bytes, "answer");
  if (bytes.length < 2) return null;
  // Servers that refuse may leave the rest out.
  if (bytes[1] !== REPLY.granted) return { code: bytes[1], bound: null, used: bytes.length };
  const found = parseAddress(bytes, 3);
  return found && { code: bytes[1], bound: found.target, used: found.end };
}

/** A datagram with where it goes, or where it comes from. `data` is a view. */
export interface Datagram {
  target: Target;
  data: Uint8Array;
}

/** Null for what is not a whole datagram: those in fragments are not put together (RFC 1928 lets that be). */
export function parseDatagram(bytes: Uint8Array): Datagram | null {
  if (bytes.length < 4 || bytes[2] !== 0) return null;
  const found = parseAddress(bytes, 3);
  if (found === null || found.target === null || found.target.port === 0) return null;
  return { target: found.target, data: bytes.subarray(found.end) };
}

export function datagram(target: Target, data: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0, 0, 0), addressBytes(target), data);
}

function checkVersion(bytes: Uint8Array, what: string, version = 5): void {
  if (bytes.length > 0 && bytes[0] !== version) {
    throw new MtrayError("protocol", `cannot read the ${what}: its version is not ${version}`);
  }
}

/** @returns null when there are too few bytes; a null target when it cannot be known, and then `end` is the end */
function parseAddress(bytes: Uint8Array, at: number): { target: Target | null; end: number } | null {
  if (bytes.length < at + 2) return null;
  const kind = bytes[at];
  const length = kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === NAME ? bytes[at + 1] : -1;
  if (length < 0) return { target: null, end: bytes.length };
  const from = kind === NAME ? at + 2 : at + 1;
  const to = from + length;
  if (bytes.length < to + 2) return null;
  const address = bytes.subarray(from, to);
  const host = kind === NAME
    ? requestedHost(new TextDecoder().decode(address))
    : hostOf(ipaddr.fromByteArray([...address]));
  const port = bytes[to] << 8 | bytes[to + 1];
  return { target: host === null ? null : { host, port }, end: to + 2 };
}

/** An IPv6 address that only wraps an IPv4 address is that address. */
function hostOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return ipaddr.process(address.toString()).toString();
}

function addressBytes({ host, port }: Target): Uint8Array {
  const tail = Uint8Array.of(port >> 8, port);
  if (ipaddr.isValid(host)) {
    const bytes = Uint8Array.from(ipaddr.parse(host).toByteArray());
    return concat(Uint8Array.of(bytes.length === 4 ? IPV4 : IPV6), bytes, tail);
  }
  const name = new TextEncoder().encode(host);
  if (name.length > 255) throw new MtrayError("unsupported", "cannot ask for a name of more than 255 bytes");
  return concat(Uint8Array.of(NAME, name.length), name, tail);
}
