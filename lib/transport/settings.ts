import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { MtrayError } from "../errors.ts";
import type { Target } from "../stream/types.ts";

/**
 * What the transport of a handler may be in this version: plain TCP, nothing around it. What else V2Ray knows here is
 * refused by name in lib/config/unsupported.ts.
 */
export const streamSettings = v.object({
  network: only("tcp", ["tcp", "raw"], "this version has no other transport"),
  security: only("none", ["none", ""], "this version wraps nothing in TLS"),
});

/** A setting with one possible value so far. */
function only<const Word extends string>(word: Word, spellings: readonly string[], why: string) {
  return v.optional(
    read(v.string(), (text): Word => {
      if (spellings.includes(text.toLowerCase())) return word;
      return complain(`must be ${JSON.stringify(word)}: ${why}`);
    }),
    word,
  );
}

/** Marks a value that no message and no quoted line may show. */
export function secret<const S extends v.GenericSchema>(schema: S) {
  return v.pipe(schema, v.metadata({ secret: true }));
}

/** Marks a key that is taken and changes nothing; `why` is the warning. */
export function withoutEffect(why: string) {
  return v.optional(v.pipe(v.unknown(), v.metadata({ withoutEffect: why })));
}

/** One of some words, in any case; the result is the word as listed. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  const listed = words.filter((word) => word !== "").map((word) => JSON.stringify(word)).join(", ");
  return read(v.string(), (text): Words[number] => {
    return words.find((word) => word === text.toLowerCase()) ?? complain(`must be one of ${listed}`);
  });
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  return v.pipe(
    v.unknown(),
    v.check(
      (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
      `must be a whole number from ${least} to ${most}`,
    ),
    v.transform((value) => value as number),
  );
}

/** An IP address; the result is without brackets, in lower case. */
export function ipText() {
  return read(v.string(), (text) => ipOf(text) ?? complain("must be an IP address"));
}

/** "host:port" or "[IPv6]:port". */
export function targetText() {
  return read(v.string(), parseTarget);
}

/** A schema whose last step may refuse by throwing an MtrayError; its message becomes the complaint. */
export function read<const S extends v.GenericSchema, T>(schema: S, parse: (value: v.InferOutput<S>) => T) {
  return v.pipe(
    schema,
    v.rawTransform<v.InferOutput<S>, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof MtrayError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** Refuses a value inside `read`. `why` goes on from the value's path: "must be a port". */
export function complain(why: string): never {
  throw new MtrayError("config", why);
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
