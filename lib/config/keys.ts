import * as v from "valibot";
import { keyOf, type Place, type Report, within } from "./complaint.ts";
import { nearest } from "./nearest.ts";
import { formatPath, type Path } from "./position.ts";
import { hideNode } from "./redact.ts";
import { foreignKey, foreignNames, hasForeignKeys } from "./unsupported.ts";

/** What a walk found out besides complaints. */
export interface Walk {
  report: Report;
  /** Whether a key that nobody knows is an error. */
  strict: boolean;
  /** Paths of objects with a key that is refused or misspelt: something may seem to be missing in them. */
  muddled: Set<string>;
  /** Paths of values that were already complained about. */
  broken: Set<string>;
}

/**
 * Brings keys into the spelling that the schema knows, and drops those that it does not know, with a complaint for
 * each that means something. A key with `null` counts as left out, as it does for V2Ray.
 *
 * @param pattern the place as lib/config/unsupported.ts writes it
 */
export function walkKeys(
  schema: v.GenericSchema | undefined,
  value: unknown,
  at: { place: Place; pattern: string },
  walk: Walk,
): unknown {
  const bare = schema === undefined ? undefined : unwrap(schema, value);
  if (bare !== undefined && isSecret(bare)) {
    const node = at.place.source.nodeAt(at.place.path);
    if (node !== undefined) hideNode(at.place.source, node);
  }
  // What the schema takes as it is, another one reads later.
  if (bare?.type === "unknown") return value;
  const expectsObject = hasEntries(bare) || hasValues(bare);
  if (expectsObject && Array.isArray(value)) {
    walk.report.error(at.place, "must be an object; got a list");
    walk.broken.add(pathText(at.place.path));
  }
  if (isObject(value)) {
    if (hasValues(bare)) return mapValues(bare.value, value, at, walk);
    if (hasEntries(bare) || hasForeignKeys(at.pattern)) {
      return walkObject(hasEntries(bare) ? bare.entries : {}, value, at, walk);
    }
    return value;
  }
  if (Array.isArray(value) && hasItem(bare)) {
    return value.map((item, index) =>
      walkKeys(bare.item, item, { place: within(at.place, index), pattern: `${at.pattern}[]` }, walk)
    );
  }
  return value;
}

function walkObject(
  entries: Record<string, v.GenericSchema>,
  value: Record<string, unknown>,
  { place, pattern }: { place: Place; pattern: string },
  walk: Walk,
): Record<string, unknown> {
  const names = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]));
  const taken = new Map<string, string>();
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const lower = key.toLowerCase();
    const name = names.get(lower);
    const at = {
      place: within(place, key),
      pattern: pattern === "" ? name ?? key : `${pattern}.${name ?? key}`,
    };
    const twin = taken.get(lower);
    if (twin !== undefined) {
      walk.report.error(keyOf(at.place), `is ${JSON.stringify(twin)} again, spelt another way`);
    }
    taken.set(lower, key);
    if (inner === null) continue;
    if (name === undefined) {
      if (!walkForeign(inner, at, walk)) unknownKey(key, [...names.values()], { place, pattern }, walk);
      continue;
    }
    const why = withoutEffect(entries[name], inner);
    if (why !== undefined) walk.report.warn(keyOf(at.place), why);
    result[name] = walkKeys(entries[name], inner, { ...at, place: within(place, name) }, walk);
  }
  return result;
}

/** @returns whether the table knows the key */
function walkForeign(
  value: unknown,
  { place, pattern }: { place: Place; pattern: string },
  walk: Walk,
): boolean {
  const foreign = foreignKey(pattern);
  if (foreign === undefined) {
    if (!hasForeignKeys(pattern)) return false;
    if (isObject(value)) walkKeys(undefined, value, { place, pattern }, walk);
    else if (!saysNothing(value)) walk.report.error(place, "must be an object");
    return true;
  }
  if (
    saysNothing(value) || foreign.harmless.includes(typeof value === "string" ? value.toLowerCase() : value)
  ) {
    return true;
  }
  if (foreign.verdict === "warn") walk.report.warn(keyOf(place), foreign.why);
  if (foreign.verdict === "refuse") {
    walk.report.error(keyOf(place), foreign.why);
    walk.muddled.add(pathText(place.path.slice(0, -1)));
  }
  return true;
}

function unknownKey(
  key: string,
  names: string[],
  { place, pattern }: { place: Place; pattern: string },
  walk: Walk,
): void {
  const at = keyOf(within(place, key));
  // Nobody knows what it holds: it may be a secret under a misspelt key.
  const node = place.source.nodeAt(at.path);
  if (node !== undefined) hideNode(place.source, node, false);
  const meant = nearest(key, [...names, ...foreignNames(pattern)]);
  if (meant !== undefined) {
    walk.report.error(at, `is not a known key: did you mean ${JSON.stringify(meant)}?`);
    walk.muddled.add(pathText(place.path));
  } else if (walk.strict) walk.report.error(at, "is not a known key");
  else walk.report.warn(at, "is not a known key, and has no effect");
}

/** A map whose keys are data: they stay as written. */
function mapValues(
  schema: v.GenericSchema,
  value: Record<string, unknown>,
  { place, pattern }: { place: Place; pattern: string },
  walk: Walk,
): Record<string, unknown> {
  const inside = (key: string) => ({ place: within(place, key), pattern: `${pattern}.*` });
  const there = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(there.map(([key, inner]) => [key, walkKeys(schema, inner, inside(key), walk)]));
}

/** The schema that says what a value must look like, from under what makes it optional; of a union, what fits. */
function unwrap(schema: v.GenericSchema, value: unknown): v.GenericSchema {
  if ("wrapped" in schema) return unwrap(schema.wrapped as v.GenericSchema, value);
  if (schema.type !== "union" || !("options" in schema)) return schema;
  const options = (schema.options as v.GenericSchema[]).map((option) => unwrap(option, value));
  return options.find((option) =>
    Array.isArray(value) ? hasItem(option) : isObject(value) && hasEntries(option)
  ) ??
    schema;
}

function isSecret(schema: v.GenericSchema): boolean {
  return (v.getMetadata(schema) as { secret?: boolean }).secret === true;
}

function withoutEffect(schema: v.GenericSchema, value: unknown): string | undefined {
  return (v.getMetadata(unwrap(schema, value)) as { withoutEffect?: string }).withoutEffect;
}

function hasEntries(
  schema?: v.GenericSchema,
): schema is v.GenericSchema & { entries: Record<string, v.GenericSchema> } {
  return schema !== undefined && "entries" in schema;
}

function hasItem(schema?: v.GenericSchema): schema is v.GenericSchema & { item: v.GenericSchema } {
  return schema !== undefined && "item" in schema;
}

function hasValues(schema?: v.GenericSchema): schema is v.GenericSchema & { value: v.GenericSchema } {
  return schema?.type === "record";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function saysNothing(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** A path as a key of a set. */
export function pathText(path: Path): string {
  return formatPath(path).toLowerCase();
}
