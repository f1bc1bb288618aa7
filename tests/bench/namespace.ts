import { DATA_CENTRE } from "./beginnings.ts";
import { runVisible } from "../tasks/run.ts";
import { findOnPath } from "../tasks/tools.ts";

/** Why this machine cannot have a network of the bench's own, or null when it can. */
export async function cannotIsolate(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "it needs Linux's network namespaces";
  if (Deno.uid() !== 0) return "it needs root, for a network namespace of its own";
  for (const [program, holder] of [["ip", "iproute2"], ["unshare", "util-linux"]]) {
    if (await findOnPath(program) === null) return `it needs ${program} (package ${holder})`;
  }
  return null;
}

/**
 * Runs a command where there is no network but a loopback that also is Telegram's data centre 2: nothing that the
 * relays dial can leave. Its processes are a namespace as well, so that none of them outlives the command.
 *
 * @returns the command's exit code
 */
export async function runIsolated(command: string[]): Promise<number> {
  const script = `ip link set lo up && ip address add ${DATA_CENTRE}/32 dev lo && exec "$0" "$@"`;
  const unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return await runVisible([...unshare, "--", "sh", "-c", script, ...command]);
}
