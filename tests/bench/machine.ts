/** What a measurement was made on. */
export interface Machine {
  processor: string;
  cores: number;
  kernel: string;
  /** In bytes. */
  memory: number;
}

/** This machine, from /proc. */
export function thisMachine(): Machine {
  return readMachine({
    cpuinfo: Deno.readTextFileSync("/proc/cpuinfo"),
    meminfo: Deno.readTextFileSync("/proc/meminfo"),
    kernel: Deno.osRelease(),
    cores: navigator.hardwareConcurrency,
  });
}

/** The same, out of those files. */
export function readMachine(
  { cpuinfo, meminfo, kernel, cores }: { cpuinfo: string; meminfo: string; kernel: string; cores: number },
): Machine {
  const kilobytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? NaN);
  // arm64 has no name there, only numbers of parts.
  const processor = /^model name\s*: (.+)$/m.exec(cpuinfo)?.[1].trim() ?? Deno.build.arch;
  return { processor, cores, kernel, memory: kilobytes * 1024 };
}
