import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Recording } from "./recording.ts";

const FOLDER = join("tests", "interop", "recorded");

/** Every recording, by name. */
export function loadRecordings(): Recording[] {
  const folder = join(repository(), FOLDER);
  const files = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  return files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** The bundle that Bun runs lies in another folder of the repository than this file. */
function repository(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, FOLDER))) folder = dirname(folder);
  return folder;
}
