// @ts-types="../types/std_jsonc.d.ts"
import { parse } from "@std/jsonc";
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Place, Report } from "./complaint.ts";
import { type Path, Source } from "./position.ts";
import { hideByKeys } from "./redact.ts";

/** A file of the config, parsed. */
export interface Parsed {
  source: Source;
  value: unknown;
}

/** Deeper nesting is not a config; a parser that calls itself could run out of stack. */
const DEEPEST = 100;

/**
 * Reads JSON with `//`, `#` and block comments, a byte order mark and trailing commas.
 *
 * @returns null when there are complaints in the report
 */
export function parseText(name: string, bytes: Uint8Array | string, report: Report): Parsed | null {
  const text = (typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes)).replace(/^\ufeff/, "");
  const refuse = (offset: number, why: string) => {
    const source = new Source(name, text, null);
    report.add(source);
    report.error({ source, path: [], offset }, `cannot be read: ${why}`);
    return null;
  };
  const broken = typeof bytes === "string" ? null : findBroken(bytes);
  if (broken !== null) return refuse(broken.offset, broken.why);

  const plain = blankHashComments(text);
  if (plain.trim() === "") return refuse(0, "it is empty");
  const deep = findDeep(plain);
  if (deep !== undefined) return refuse(deep, `objects and lists must not be nested deeper than ${DEEPEST}`);

  const errors: ParseError[] = [];
  const tree = parseTree(plain, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    return refuse(errors[0].offset, sentences[printParseErrorCode(errors[0].error)] ?? "it is not JSON");
  }
  let value: unknown;
  try {
    value = parse(plain);
  } catch (error) {
    // The two parsers agree on all that is known; where they do not, this one decides. Its message quotes the text.
    const position = /at position ([0-9]+)$/.exec(String(error));
    return refuse(position === null ? text.length : Number(position[1]), "it is not JSON");
  }

  const source = new Source(name, text, tree!);
  report.add(source);
  hideByKeys(source);
  complainAboutTwins(tree!, { source, path: [] }, report);
  return { source, value };
}

/** Blanks the comments that begin with `#`, so that every offset stays. */
function blankHashComments(text: string): string {
  // What may hold a # that begins no comment comes first. Strings end with their line at the latest.
  const tokens = /"(?:[^"\\\r\n]|\\.)*"?|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)|#[^\r\n]*/g;
  return text.replace(tokens, (token) => token.startsWith("#") ? " ".repeat(token.length) : token);
}

/** The first bracket that is too deep. */
function findDeep(text: string): number | undefined {
  const tokens = /"(?:[^"\\\r\n]|\\.)*"?|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)|[[\]{}]/g;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    if (depth > DEEPEST) return index;
  }
  return undefined;
}

/** Where bytes stop being UTF-8: an offset in the text as far as it can be decoded. */
function findBroken(bytes: Uint8Array): { offset: number; why: string } | null {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { offset: 0, why: "it is UTF-16; save it as UTF-8" };
  }
  const whole = (length: number) => {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return null;
    }
  };
  const complete = () => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  if (complete()) return null;
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (whole(middle) === null) bad = middle;
    else good = middle;
  }
  const text = whole(good) ?? "";
  const at = new TextEncoder().encode(text).length + (first === 0xef && second === 0xbb ? 3 : 0);
  return { offset: text.length, why: `it is not UTF-8 at byte ${at}` };
}

/** A key that stands twice: most parsers take the last in silence. */
function complainAboutTwins(node: Node, place: Place, report: Report): void {
  if (node.type === "array") {
    node.children?.forEach((child, index) => complainAboutTwins(child, step(place, index), report));
  }
  if (node.type !== "object") return;
  const seen = new Set<string>();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    const at = step(place, key.value);
    if (key.value === "__proto__") {
      report.error({ ...at, offset: key.offset }, "is not a key that can be used");
    } else if (seen.has(key.value)) report.error({ ...at, offset: key.offset }, "stands twice in one object");
    seen.add(key.value);
    if (value !== undefined) complainAboutTwins(value, at, report);
  }
}

function step(place: Place, to: string | number): Place {
  const path: Path = [...place.path, to];
  return { source: place.source, path };
}

/** By the name of jsonc-parser's error codes. */
const sentences: Record<string, string> = {
  InvalidSymbol: "only quoted text, a number, true, false or null may stand here",
  InvalidNumberFormat: "this is not a number",
  UnexpectedEndOfNumber: "this number is not complete",
  PropertyNameExpected: "a key in double quotes must stand here",
  ValueExpected: "a value must stand here",
  ColonExpected: "a colon must stand here",
  CommaExpected: "a comma must stand before this",
  CloseBraceExpected: "a closing } must stand here",
  CloseBracketExpected: "a closing ] must stand here",
  EndOfFileExpected: "nothing may follow the end of the config",
  UnexpectedEndOfComment: "this comment does not end",
  UnexpectedEndOfString: "this text has no closing quote",
  InvalidUnicode: "this text has a broken \\u escape",
  InvalidEscapeCharacter: "this text has a backslash where none may be",
  InvalidCharacter: "this text has a character that must be escaped",
};
