import { readTextFile } from "../runtime/files.ts";
import { architecture as thisArchitecture } from "../runtime/process.ts";

/**
 * Whether the processor has instructions for AES, without which AES is slower than ChaCha20 and tells its timing.
 *
 * @param architecture as Node names it: "x64", "arm64", …
 * @param description Linux's /proc/cpuinfo; null where it cannot be read. Then only x64 is believed to have them.
 */
export function cpuHasAes(
  architecture: string = thisArchitecture(),
  description: string | null = readCpuInfo(),
): boolean {
  if (description === null) return architecture === "x64";
  // x86 calls the list "flags", ARM calls it "Features". All cores of a machine have the same.
  const list = /^(?:flags|Features)\s*:(.*)$/m.exec(description)?.[1] ?? "";
  return list.split(/\s+/).includes("aes");
}

function readCpuInfo(): string | null {
  try {
    return readTextFile("/proc/cpuinfo");
  } catch {
    return null;
  }
}
