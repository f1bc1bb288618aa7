/** What the kernel knows about a process, from /proc. */

/** A tick of /proc/PID/stat, in seconds; Linux shows 100 a second to programs on every machine. */
const TICK = 0.01;
/** The state of a listening socket in /proc/net/tcp. */
const LISTEN = "0A";

/** The process and those that it has started, and they. */
export function family(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

/** Seconds of processor time, user and system, of all threads since the process started, to the hundredth. */
export function cpuOf(pid: number): number {
  // The name, in brackets, may hold spaces; field 14 is the 12th after it.
  const fields = read(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Resident memory now (VmRSS), or the most there was (VmHWM), in bytes. */
export function memoryOf(pid: number, name: "VmRSS" | "VmHWM"): number {
  return Number(read(`/proc/${pid}/status`).match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1]) * 1024;
}

/** From here on VmHWM is the most there was since now. */
export function forgetPeakOf(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Whether anybody listens on that TCP port, at whatever address. */
export function isListening(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  return ["tcp", "tcp6"].some((table) =>
    read(`/proc/net/${table}`).split("\n").some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === LISTEN && `${local} `.endsWith(wanted);
    })
  );
}

/** Nothing where the process has ended. */
function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return "";
  }
}
