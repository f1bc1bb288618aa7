import { join } from "node:path";
import { CACHE } from "../tasks/paths.ts";
import { run } from "../tasks/run.ts";
import { findOnPath } from "../tasks/tools.ts";

/** The files under whose names the loader would find OpenSSL's library; none where there is none. */
export async function libcryptoFiles(): Promise<string[]> {
  const ldconfig = await findOnPath("ldconfig") ?? "/sbin/ldconfig";
  const { stdout } = await run(["sh", "-c", 'exec "$0" -p', ldconfig], { limit: 10 });
  return filesInCache(stdout, (path) => Deno.realPathSync(path));
}

/** The same, out of what `ldconfig -p` prints. */
export function filesInCache(cache: string, realPath: (path: string) => string): string[] {
  const found = cache.matchAll(/^\s*libcrypto\.so\S* .*=> (\/.+)$/gm);
  return [...new Set([...found].map((match) => realPath(match[1])))];
}

/**
 * The same command where those files are empty, which no loader takes. The mounts are the process's own: nobody else
 * sees them, and they are gone when it has ended. It keeps the process id of the command as it is given here.
 */
export function withoutFiles(files: readonly string[], command: readonly string[]): string[] {
  const empty = join(CACHE, "bench", "empty");
  Deno.mkdirSync(join(CACHE, "bench"), { recursive: true });
  Deno.writeTextFileSync(empty, "");
  const mounts = files.map((file) => `mount --bind ${quote(empty)} ${quote(file)} && `).join("");
  return ["unshare", "--mount", "--", "sh", "-c", `${mounts}exec "$0" "$@"`, ...command];
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
