import { type Place, type Report, within } from "./complaint.ts";
import type { Source } from "./position.ts";
import type { Parsed } from "./text.ts";

/** A part of the config and where it was written. */
export interface Piece {
  place: Place;
  value: unknown;
}

/** All files as one. */
export interface Merged {
  log?: Piece;
  policy?: Piece;
  routing?: Piece;
  workers?: Piece;
  inbounds: Piece[];
  outbounds: Piece[];
  /** The file to say in that something is missing. */
  first: Source;
}

/** One file with its top-level keys in canonical spelling. */
export interface TopLevel extends Parsed {
  value: Partial<Record<typeof SECTIONS[number] | "inbounds" | "outbounds", unknown>>;
}

/** What a later file replaces as a whole. */
const SECTIONS = ["log", "policy", "routing", "workers"] as const;

/**
 * Makes one config of several files, as V2Ray 4 does. `log`, `policy` and `routing` of a later file replace the whole
 * section, and so does `workers`, which is mtray's own. A later file's only inbound or outbound replaces the one with the same tag; where there is none, an
 * inbound is put last, and an outbound first (last when the file's name has "tail" in it). A list of several
 * replaces the list.
 */
export function mergeFiles(files: readonly TopLevel[], report: Report): Merged {
  const merged: Merged = { inbounds: [], outbounds: [], first: files[0].source };
  for (const { source, value } of files) {
    for (const section of SECTIONS) {
      const place = { source, path: [section] };
      if (section in value) merged[section] = { place, value: value[section] };
    }
    for (const list of ["inbounds", "outbounds"] as const) {
      if (!(list in value)) continue;
      const place = { source, path: [list] };
      const entries = value[list];
      if (!Array.isArray(entries)) {
        report.error(place, "must be a list");
        continue;
      }
      const pieces = entries.map((entry, index): Piece => ({ place: within(place, index), value: entry }));
      const last = list === "inbounds" || /tail/i.test(source.name.replace(/^.*[/\\]/, ""));
      merged[list] = mergeLists(merged[list], pieces, last);
    }
  }
  return merged;
}

function mergeLists(earlier: Piece[], later: Piece[], last: boolean): Piece[] {
  if (later.length === 0) return earlier;
  if (later.length > 1) return later;
  const [piece] = later;
  const same = earlier.findIndex((each) => writtenTag(each) === writtenTag(piece));
  if (same >= 0) return earlier.with(same, piece);
  return last ? [...earlier, piece] : [piece, ...earlier];
}

/** The tag as the file has it; "" where it has none. */
export function writtenTag({ value }: Piece): string {
  const tag = written(value, "tag");
  return typeof tag === "string" ? tag : "";
}

/** What stands in an object under a key in any case, unchecked. */
export function written(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key.toLowerCase() === name)?.[1];
}
