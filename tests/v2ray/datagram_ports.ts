import { within } from "../telegram/socket.ts";

/**
 * Waits until somebody has bound the UDP port, as the kernel's table tells. Where there is no such table (it is
 * Linux's) it returns at once.
 */
export async function untilBound(port: number, ms: number, alive: () => boolean): Promise<void> {
  let late = false;
  const poll = async () => {
    while (!late) {
      if (!alive()) throw new Error(`cannot see UDP port ${port} bound: the program has ended`);
      const bound = await isBound(port);
      if (bound !== false) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  try {
    await within(ms, `see UDP port ${port} bound`, poll());
  } finally {
    late = true;
  }
}

async function isBound(port: number): Promise<boolean | null> {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    const tables = await Promise.all(
      ["/proc/net/udp", "/proc/net/udp6"].map((path) => Deno.readTextFile(path).catch(() => "")),
    );
    if (tables[0] === "") return null;
    return tables.some((table) =>
      table.split("\n").slice(1).some((line) => line.trim().split(/\s+/)[1]?.endsWith(ending))
    );
  } catch {
    return null;
  }
}
