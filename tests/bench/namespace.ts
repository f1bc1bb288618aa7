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
 * Files that a program may have open: a relay of 5,000 clients has 10,000 connections, and the limit of a login is often
 * 1,024. Where root may not raise it, as in some containers, it is what is allowed.
 */
const DESCRIPTORS = "ulimit -n 65536 2> /dev/null || ulimit -S -n $(ulimit -H -n)";

/**
 * A relay closes its side towards the data centre first, and the kernel keeps the port for a minute. Thousands of short
 * connections a second to one address would soon have none left, so here a port may be taken again after a second. The
 * range leaves out the ports that the bench listens on.
 */
const SETTINGS = [["ip_local_port_range", "20000 65000"], ["tcp_tw_reuse", "1"]];

/**
 * Runs a command where there is no network but a loopback that also is Telegram's data centre 2: nothing that the
 * relays dial can leave. Its processes are a namespace as well, so that none of them outlives the command.
 *
 * @returns the command's exit code
 */
export async function runIsolated(command: string[]): Promise<number> {
  const script = [
    "ip link set lo up",
    `ip address add ${DATA_CENTRE}/32 dev lo`,
    ...SETTINGS.map(([name, value]) => `echo ${value} > /proc/sys/net/ipv4/${name}`),
    `{ ${DESCRIPTORS}; }`,
    'exec "$0" "$@"',
  ].join(" && ");
  const unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return await runVisible([...unshare, "--", "sh", "-c", script, ...command]);
}
