import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What the build makes. */
export const DIST = join(ROOT, "dist");

/** Fetched tools and whatever a task makes on its way; safe to delete at any time. */
export const CACHE = join(ROOT, ".cache");

/** A file size, or null where there is no file. */
export function sizeOf(path: string): number | null {
  try {
    const info = Deno.statSync(path);
    return info.isFile ? info.size : null;
  } catch {
    return null;
  }
}

/** Deletes a file or a folder with all that is in it; its absence is fine. */
export function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
