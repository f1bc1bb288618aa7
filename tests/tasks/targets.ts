import type { BunName } from "./tools.ts";

/** A single file that the build makes. */
export interface Target {
  /** Its name in dist/. */
  file: string;
  arch: "x86_64" | "aarch64";
  libc: "glibc" | "musl";
  /** What is inside: Deno's runtime or Bun's. */
  runtime: "deno" | "bun";
  /** The compiler's name for the target. */
  name: string;
  /** Whose Bun goes in. */
  bun?: BunName;
}

export const TARGETS: readonly Target[] = [
  {
    file: "mtray-linux-x64",
    arch: "x86_64",
    libc: "glibc",
    runtime: "bun",
    name: "bun-linux-x64",
    bun: "linux-x64",
  },
  {
    file: "mtray-linux-x64-musl",
    arch: "x86_64",
    libc: "musl",
    runtime: "bun",
    name: "bun-linux-x64-musl",
    bun: "linux-x64-musl",
  },
  {
    file: "mtray-linux-arm64",
    arch: "aarch64",
    libc: "glibc",
    runtime: "bun",
    name: "bun-linux-arm64",
    bun: "linux-aarch64",
  },
  {
    file: "mtray-linux-arm64-musl",
    arch: "aarch64",
    libc: "musl",
    runtime: "bun",
    name: "bun-linux-arm64-musl",
    bun: "linux-aarch64-musl",
  },
  {
    file: "mtray-deno-linux-x64",
    arch: "x86_64",
    libc: "glibc",
    runtime: "deno",
    name: "x86_64-unknown-linux-gnu",
  },
  {
    file: "mtray-deno-linux-arm64",
    arch: "aarch64",
    libc: "glibc",
    runtime: "deno",
    name: "aarch64-unknown-linux-gnu",
  },
];

/** The processor that an executable is for, or null when it is no ELF file for one of ours. */
export function archOf(executable: Uint8Array): Target["arch"] | null {
  const elf = executable.length >= 20 && executable[0] === 0x7f &&
    String.fromCharCode(...executable.subarray(1, 4)) === "ELF";
  if (!elf) return null;
  const machine = executable[18] | executable[19] << 8;
  return machine === 62 ? "x86_64" : machine === 183 ? "aarch64" : null;
}
