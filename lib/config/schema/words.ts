import * as v from "valibot";
import type { PortRange } from "../../routing/types.ts";
import { complain, read } from "../../settings/words.ts";

/** V2Ray's StringList: ["a", "b"] or "a,b". The result is a list; empty items are dropped. */
export function stringList() {
  return v.pipe(
    v.union([v.string(), v.array(v.unknown())], "must be text or a list of texts"),
    v.transform((value): unknown[] => typeof value === "string" ? value.split(",") : value),
    v.array(v.string()),
    v.transform((items) => items.map((item) => item.trim()).filter((item) => item !== "")),
  );
}

/** A StringList of which each item must pass `parse`; the items stay as written. */
export function checkedList(parse: (item: string) => unknown) {
  return v.pipe(
    stringList(),
    v.array(read(v.string(), (item) => {
      parse(item);
      return item;
    })),
  );
}

/**
 * V2Ray's PortList: 53, "53", "1000-2000", "53,443,1000-2000", or a list of these. "env:NAME" is read from the
 * environment.
 *
 * @param least 1, or 0 where 0 means a free port
 */
export function portList(least: 0 | 1, env: (name: string) => string | undefined) {
  return v.pipe(
    v.unknown(),
    v.transform((value): unknown[] => Array.isArray(value) ? value : [value]),
    v.array(read(v.unknown(), (value) => parsePorts(value, least, env))),
    v.transform((lists) => lists.flat()),
    v.minLength(1, "must have a port"),
  );
}

function parsePorts(value: unknown, least: number, env: (name: string) => string | undefined): PortRange[] {
  if (typeof value === "number") return [rangeOf(value, value, least)];
  if (typeof value !== "string") complain("must be a port, a range such as 1000-2000, or a list of these");
  return value.split(",").flatMap((item) => {
    const named = /^env:(.+)$/i.exec(item.trim());
    if (named !== null) {
      const inner = env(named[1]) ??
        complain(`names ${named[1]}, which is not set in the environment`);
      return inner.split(",").map((each) => parseRange(each, least));
    }
    return [parseRange(item, least)];
  });
}

function parseRange(text: string, least: number): PortRange {
  const found = /^\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?$/.exec(text);
  if (found === null) complain("must be a port, a range such as 1000-2000, or a list of these");
  return rangeOf(Number(found[1]), Number(found[2] ?? found[1]), least);
}

function rangeOf(from: number, to: number, least: number): PortRange {
  if (!Number.isInteger(from) || from < least || to > 65535) {
    complain(`must be a port from ${least} to 65535`);
  }
  if (from > to) complain("must be a range from the lower port to the higher one");
  return { from, to };
}
