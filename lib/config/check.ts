import * as v from "valibot";
import { keyOf, type Place, type Report, within } from "./complaint.ts";
import { pathText, type Walk, walkKeys } from "./keys.ts";
import { isHidden } from "./redact.ts";

/** What reading a section needs besides the section. */
export interface Reading {
  report: Report;
  strict: boolean;
  /** Environment variables, for ports written as "env:NAME". */
  env: (name: string) => string | undefined;
}

/**
 * Brings the keys of a value into order and holds it against a schema.
 *
 * @param at.pattern the place as lib/config/unsupported.ts writes it
 * @returns null when there are complaints in the report
 */
export function check<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  at: { place: Place; pattern: string },
  reading: Reading,
): T | null {
  const { report, strict } = reading;
  const walk: Walk = { report, strict, muddled: new Set(), broken: new Set() };
  const tidy = walkKeys(schema, value, at, walk);
  const result = v.safeParse(schema, tidy, { message: describeMismatch });
  for (const issue of result.issues ?? []) {
    const place = placeOf(issue, at.place);
    if (!isConsequence(place, walk, valueAt(tidy, issue.path))) report.error(place, textOf(issue, place));
  }
  return result.success && walk.broken.size === 0 && walk.muddled.size === 0 ? result.output : null;
}

/** Whether a complaint only repeats what was said about a key. */
function isConsequence(place: Place, walk: Walk, value: unknown): boolean {
  for (let length = 0; length <= place.path.length; length++) {
    if (walk.broken.has(pathText(place.path.slice(0, length)))) return true;
  }
  return walk.muddled.has(pathText(place.path)) ||
    (value === undefined && walk.muddled.has(pathText(place.path.slice(0, -1))));
}

/** Where an issue stands. A list that was written as text has no items in the file. */
function placeOf(issue: v.BaseIssue<unknown>, base: Place): Place {
  const steps = (issue.path ?? []).map((item) => item.key as string | number);
  const place = within(base, ...steps);
  if (typeof steps.at(-1) === "number") {
    const list = within(base, ...steps.slice(0, -1));
    const node = list.source.nodeAt(list.path);
    if (node !== undefined && node.type !== "array") return list;
  }
  return issue.path?.at(-1)?.origin === "key" ? keyOf(place) : place;
}

function textOf(issue: v.BaseIssue<unknown>, place: Place): string {
  const { message, input } = issue;
  const node = place.source.nodeAt(place.path);
  const needsValue = message.startsWith("must ") && !message.includes("; got ") && node !== undefined;
  if (!needsValue || typeof input === "object" || isHidden(place.source, node)) return message;
  return `${message}; got ${shown(input)}`;
}

/** Valibot's own words carry the value; ours do not. */
function describeMismatch(issue: v.BaseIssue<unknown>): string {
  if (issue.input === undefined) return "is missing";
  const got = kindOf(issue.input);
  const wanted = issue.expected === null ? undefined : kinds[issue.expected];
  return wanted === undefined ? `cannot be ${got}` : `must be ${wanted}; got ${got}`;
}

const kinds: Record<string, string> = {
  string: "text in quotes",
  number: "a number",
  boolean: "true or false",
  Array: "a list",
  Object: "an object",
};

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return value === null ? "null" : "an object";
  if (typeof value === "string") return "text";
  return typeof value === "number" ? "a number" : String(value);
}

const LONGEST_SHOWN = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.length - 2} characters`;
}

function valueAt(value: unknown, path: readonly v.IssuePathItem[] = []): unknown {
  return path.reduce<unknown>(
    (inner, item) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, item.key as string) : undefined,
    value,
  );
}
