/** Addresses as settings write them. */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import type { Target } from "../stream/types.ts";
import { complain, read } from "./words.ts";

/** An IP address; the result is without brackets, in lower case. */
export function ipText() {
  return read(v.string(), (text) => ipOf(text) ?? complain("must be an IP address"));
}

/** "host:port" or "[IPv6]:port". */
export function targetText() {
  return read(v.string(), parseTarget);
}

/** A host name or an IP address, without brackets and in lower case. */
export function hostText() {
  return read(
    v.string(),
    (text) => ipOf(text) ?? hostName(text) ?? complain("must be a host name or an IP address"),
  );
}

/** One port, as a number or as its digits. */
export function portNumber() {
  return read(v.unknown(), (value) => {
    const port = typeof value === "string" && /^[0-9]+$/.test(value) ? Number(value) : value;
    const fits = typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535;
    return fits ? port : complain("must be a port from 1 to 65535");
  });
}

/**
 * Reads "example.com:443", "192.0.2.1:443" or "[2001:db8::1]:443".
 *
 * @throws {MtrayError} `config`, with a message that goes on from a path: "must be …"
 */
export function parseTarget(text: string): Target {
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(text);
  if (parts === null) {
    const bare = ipOf(text);
    if (bare?.includes(":")) complain("must be host:port, with the IPv6 address in brackets: [address]:port");
    complain("must be host:port");
  }
  const [, inBrackets, plain, digits] = parts;
  const port = Number(digits);
  if (port < 1 || port > 65535) complain("must end in a port from 1 to 65535");
  if (inBrackets !== undefined) {
    const host = ipOf(inBrackets);
    if (host === null || !host.includes(":")) complain("must have an IPv6 address in the brackets");
    return { host, port };
  }
  return {
    host: ipOf(plain) ?? hostName(plain) ?? complain("must begin with a host name or an IP address"),
    port,
  };
}

/** The address as text without brackets, in lower case, or null. Takes none of the short forms that inet_aton does. */
export function ipOf(text: string): string | null {
  const bare = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return bare;
  return bare.includes(":") && !bare.includes("%") && ipaddr.IPv6.isValid(bare) ? bare.toLowerCase() : null;
}

/**
 * A host name in lower case, or null: labels of letters, digits and hyphens, 253 characters at most, and not an IP
 * address in any notation (a last label of digits alone makes one).
 */
export function hostName(text: string): string | null {
  const name = text.toLowerCase();
  if (
    name.length > 253 ||
    !/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
  ) {
    return null;
  }
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name) ? null : name;
}
