import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { cryptoProvider } from "../crypto/provider.ts";
import { runtime } from "../runtime/mod.ts";
import { RELEASED, VERSION } from "../version.ts";
import type { Command } from "./command.ts";

export const version: Command = {
  name: "version",
  usage: "[--verbose]",
  summary: "print the version",
  help:
    "With --verbose also the day of the release, the runtime, the machine and where the ciphers come from.",
  flags: ["verbose"],
  run({ verbose }, screen) {
    screen.out(`mtray ${VERSION}`);
    if (!verbose) return;
    screen.out(`released  ${new Date(RELEASED).toISOString().slice(0, 10)}`);
    screen.out(`runtime   ${runtime.name} ${runtime.version}`);
    screen.out(`machine   ${process.platform} ${process.arch}, ${systemLibrary()}`);
    screen.out(`ciphers   ${cryptoProvider().name}`);
  },
};

/** The C library that this process runs on, for reports of trouble. */
function systemLibrary(): string {
  try {
    return readFileSync("/proc/self/maps", "utf8").includes("/ld-musl-") ? "musl" : "glibc";
  } catch {
    // Deno lets nobody read that file. Its makers build for glibc; Alpine builds its own for musl.
    return existsSync("/etc/alpine-release") ? "musl" : "glibc";
  }
}
