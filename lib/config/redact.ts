import type { Node } from "jsonc-parser";
import { nearest } from "./nearest.ts";
import type { Source } from "./position.ts";

/** Keys whose values are hidden wherever they stand, known to a schema or not. */
const SECRET_KEYS = new Set(["secret", "id", "pass", "password", "token", "key", "keys"]);

/** Shorter values are hidden where they stand, but not looked for elsewhere: "1" is everywhere. */
const LEAST_TO_SEEK = 6;

/** Hides what stands below keys that speak of secrets, misspelt ones too. */
export function hideByKeys(source: Source): void {
  const visit = (node: Node) => {
    if (node.type === "property") {
      const [key, value] = node.children ?? [];
      if (value === undefined) return;
      if (speaksOfSecrets(key.value)) return hideNode(source, value);
    }
    node.children?.forEach(visit);
  };
  if (source.tree !== null) visit(source.tree);
}

/**
 * Hides every text and number at or below a node.
 *
 * @param everywhere whether the same text is hidden wherever it stands; not for what is hidden to be on the safe side
 */
export function hideNode(source: Source, node: Node, everywhere = true): void {
  const { type, offset, length, children } = node;
  if (type === "string") source.hidden.push({ offset: offset + 1, length: length - 2, everywhere });
  else if (type === "number") source.hidden.push({ offset, length, everywhere });
  else if (type === "property") hideNode(source, children?.[1] ?? children![0], everywhere);
  else children?.forEach((child) => hideNode(source, child, everywhere));
}

/** Whether a value is hidden: its text may then not be part of a message. */
export function isHidden(source: Source, node: Node | undefined): boolean {
  return node !== undefined &&
    source.hidden.some(({ offset, length }) => offset <= node.offset + 1 && node.offset < offset + length);
}

/** The texts that are secrets somewhere in these files, the longest first. */
export function hiddenTexts(sources: readonly Source[]): string[] {
  const texts = sources.flatMap((source) =>
    source.hidden.filter(({ everywhere }) => everywhere)
      .map(({ offset, length }) => source.text.slice(offset, offset + length))
  );
  return [...new Set(texts)].filter((text) => text.length >= LEAST_TO_SEEK).sort((a, b) =>
    b.length - a.length
  );
}

/** Names of keys that look like what they do not hold. */
const KEYS = new Set(["pinnedPeerCertSha256", "verifyPeerCertByName", "verifyPeerCertInNames"]);

/** Replaces each of the texts, and whatever looks like a secret, with dots of the same length. */
export function scrub(text: string, texts: readonly string[]): string {
  for (const each of texts) text = text.replaceAll(each, dots(each));
  // Hex keys, UUIDs, base64: also in a comment, or under a key where nobody expects them.
  return text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, dots)
    .replace(/[0-9a-f]{16,}/gi, dots)
    .replace(/[A-Za-z0-9+/_-]{20,}={0,2}/g, (run) => looksRandom(run) && !KEYS.has(run) ? dots(run) : run);
}

/** Whether small letters, capitals and digits follow each other as in base64, and not as in words, paths or names. */
function looksRandom(run: string): boolean {
  // A key in camel case, such as pinnedPeerCertSha256. Its words are longer than chance would have them.
  const capitals = run.replace(/[^A-Z]/g, "").length;
  if (/^[a-z]{2,}(?:[A-Z][a-z]+)+[0-9]{0,3}$/.test(run) && run.length >= 4 * (capitals + 1)) return false;
  const kinds = run.replace(/[^A-Za-z0-9]/g, "")
    .replace(/[a-z]/g, "a").replace(/[A-Z]/g, "A").replace(/[0-9]/g, "0");
  const changes = [...kinds].filter((kind, i) => i > 0 && kind !== kinds[i - 1]).length;
  return changes * 3 >= kinds.length;
}

/** A line with the hidden ranges as dots of the same length. */
export function hideRanges(source: Source, line: { start: number; text: string }): string {
  const letters = line.text.split("");
  for (const { offset, length } of source.hidden) {
    const from = Math.max(0, offset - line.start);
    const to = Math.min(letters.length, offset + length - line.start);
    for (let i = from; i < to; i++) letters[i] = "•";
  }
  return letters.join("");
}

/**
 * A line of a text that does not parse, where nobody can tell what a value belongs to: all that is left is keys,
 * numbers, true, false, null and punctuation.
 */
export function hideAllValues(line: string): string {
  // A string, closed or not, with the colon that makes it a key; a comment; any other word.
  const tokens = /"((?:[^"\\]|\\.)*)("?)(\s*:)?|(\/\/|#|\/\*).*|[^\s"{}[\],:/#]+|[/]/g;
  return line.replace(tokens, (token, inner, quote, colon, comment) => {
    if (inner !== undefined) {
      if (quote !== "" && colon !== undefined && !speaksLikeValue(inner)) return token;
      return `"${dots(inner)}${quote}${colon ?? ""}`;
    }
    if (comment !== undefined) return comment + token.slice(comment.length).replace(/\S/g, "•");
    return /^(?:true|false|null|-?[0-9.]{1,8})$/.test(token) ? token : dots(token);
  });
}

/** A key is a word; where quotes are out of step, a value can look like one. */
function speaksLikeValue(text: string): boolean {
  return !/^[A-Za-z_$][A-Za-z0-9_$ -]{0,30}$/.test(text) && !/^-?[0-9]{1,5}$/.test(text);
}

function speaksOfSecrets(key: string): boolean {
  const name = key.toLowerCase();
  if (SECRET_KEYS.has(name)) return true;
  return name.length >= 5 &&
    nearest(name, ["secret", "secrets", "password", "passwords", "token"]) !== undefined;
}

function dots(text: string): string {
  return "•".repeat(text.length);
}
