import { MtrayError } from "../errors.ts";
import { formatPath, type Path, type Source } from "./position.ts";
import { hiddenTexts, hideAllValues, hideRanges, scrub } from "./redact.ts";

/** What is wrong, or without effect, at one place of a config. Nothing in it holds a secret. */
export interface Complaint {
  file: string;
  /** From one. */
  line: number;
  /** From one, in characters; a tab is one. */
  column: number;
  /** "inbounds[0].settings.users[0].secret"; empty where the text does not parse. */
  path: string;
  /** Goes on from the path: "must be …; got …". */
  text: string;
  /** The line, with secrets as dots, and a caret under it. */
  excerpt: string;
}

/** A config that cannot be used. The message is all complaints, in file order. */
export class ConfigError extends MtrayError {
  override name = "ConfigError";
  constructor(readonly complaints: Complaint[]) {
    super("config", complaints.map(formatComplaint).join("\n"));
  }
}

/** Place, text, quoted line and caret, in three lines. */
export function formatComplaint(complaint: Complaint): string {
  const { file, line, column, path, text, excerpt } = complaint;
  return `${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${text}\n${excerpt}`;
}

/** Where a value stands, or the key of it. */
export interface Place {
  source: Source;
  path: Path;
  /** Points at the key. */
  key?: boolean;
  /** Points at this offset, whatever stands there. */
  offset?: number;
}

/** The place of something inside. */
export function within(place: Place, ...steps: (string | number)[]): Place {
  return { source: place.source, path: [...place.path, ...steps] };
}

/** The key that a place's value stands under. */
export function keyOf(place: Place): Place {
  return { ...place, key: true };
}

/** Collects what is found, and makes complaints of it once all secrets are known. */
export class Report {
  readonly #sources: Source[] = [];
  readonly #errors: Found[] = [];
  readonly #warnings: Found[] = [];

  get errorCount(): number {
    return this.#errors.length;
  }

  /** Files are complained about in the order in which they are added. */
  add(source: Source): void {
    this.#sources.push(source);
  }

  error(place: Place, text: string): void {
    this.#errors.push({ place, text });
  }

  warn(place: Place, text: string): void {
    this.#warnings.push({ place, text });
  }

  errors(): Complaint[] {
    return this.#complaints(this.#errors);
  }

  warnings(): Complaint[] {
    return this.#complaints(this.#warnings);
  }

  #complaints(found: readonly Found[]): Complaint[] {
    const secrets = hiddenTexts(this.#sources);
    return found
      .map(({ place, text }) => ({ place, text, offset: offsetOf(place) }))
      .sort((a, b) =>
        this.#sources.indexOf(a.place.source) - this.#sources.indexOf(b.place.source) || a.offset - b.offset
      )
      .map(({ place, text, offset }) => ({
        file: place.source.name,
        ...place.source.locate(offset),
        path: scrub(formatPath(place.path), secrets),
        text: scrub(text, secrets),
        excerpt: excerptOf(place.source, offset, secrets),
      }));
  }
}

interface Found {
  place: Place;
  text: string;
}

function offsetOf(place: Place): number {
  return place.offset ?? place.source.offsetOf(place.path, { key: place.key });
}

/** A longer line is cut, and quoted so far before and after the caret; in characters. */
const LONGEST = 160;
const BEFORE = 60;
const AFTER = 50;

function excerptOf(source: Source, offset: number, secrets: readonly string[]): string {
  const line = source.lineAround(offset);
  const shown = source.tree === null ? hideAllValues(line.text) : hideRanges(source, line);
  const safe = scrub(shown, secrets);
  // Every replacement keeps the length, so the offset still holds.
  const before = [...safe.slice(0, offset - line.start)];
  const after = [...safe.slice(offset - line.start)];
  const long = before.length + after.length > LONGEST;
  const start = long && before.length > BEFORE ? ["…", ...before.slice(1 - BEFORE)] : before;
  const end = long && after.length > AFTER ? [...after.slice(0, AFTER - 1), "…"] : after;
  return `  ${start.join("")}${end.join("").trimEnd()}\n  ${start.map(blankFor).join("")}^`;
}

/** As wide as a character is in a terminal. A tab stays one, so that both lines run to the same stop. */
function blankFor(letter: string): string {
  if (letter === "\t") return letter;
  if (/\p{Mn}/u.test(letter)) return "";
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/.test(
      letter,
    )
    ? "  "
    : " ";
}
