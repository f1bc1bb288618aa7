/** The process that this program runs in. On Deno by Deno's own calls: node:process is large, see late.ts. */
import type nodeProcess from "node:process";
import { late } from "./late.ts";

const onBun = "Bun" in globalThis;
const node = late<typeof nodeProcess>("node:process");
const tty = late<typeof import("node:tty")>("node:tty");
const fs = late<typeof import("node:fs")>("node:fs");
const os = late<typeof import("node:os")>("node:os");

/** Arguments after the program. */
export function programArguments(): string[] {
  return onBun ? node().argv.slice(2) : [...Deno.args];
}

/** An environment variable; undefined where there is none, or no permission. */
export function environment(name: string): string | undefined {
  if (onBun) return node().env[name];
  try {
    return Deno.env.get(name);
  } catch {
    // Deno throws for what cannot be a name, too.
    return undefined;
  }
}

/** Ends the program at once. */
export function exit(code: number): never {
  return onBun ? node().exit(code) : Deno.exit(code);
}

/** Calls back when the system asks the program to end. */
export function onStop(callback: (signal: string) => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    if (onBun) node().on(signal, () => callback(signal));
    else Deno.addSignalListener(signal, () => callback(signal));
  }
}

/** Takes over what nobody caught: exceptions, and promises that rejected. */
export function onFailure(caught: { thrown(error: unknown): void; rejected(error: unknown): void }): void {
  if (onBun) {
    node().on("uncaughtException", (error) => caught.thrown(error));
    node().on("unhandledRejection", (error) => caught.rejected(error));
    return;
  }
  addEventListener("error", (event) => {
    event.preventDefault();
    caught.thrown(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    caught.rejected(event.reason);
  });
}

/** Whether a person probably reads what is printed. */
export function stdoutIsTerminal(): boolean {
  return onBun ? mayBeTerminal(1) && tty().isatty(1) : Deno.stdout.isTerminal();
}

/** What procd gives a service for its output. */
const NULL_DEVICE = 0x103;

/** Rules out what services have: node:tty is 6 MB, which those should not pay for. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const status = fs().fstatSync(descriptor);
    return status.isCharacterDevice() && status.rdev !== NULL_DEVICE;
  } catch {
    // It is closed.
    return false;
  }
}

/** The processor, as Node names it: "x64", "arm64", … */
export function architecture(): string {
  if (onBun) return node().arch;
  const { arch } = Deno.build;
  return arch === "x86_64" ? "x64" : arch === "aarch64" ? "arm64" : arch;
}

/** The system, as Node names it: "linux", "darwin", "win32", … */
export function platform(): string {
  if (onBun) return node().platform;
  return Deno.build.os === "windows" ? "win32" : Deno.build.os;
}

/** The addresses of every interface. */
export function interfaces(): { name: string; family: "IPv4" | "IPv6"; address: string }[] {
  if (!onBun) return Deno.networkInterfaces();
  return Object.entries(os().networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ family, address }) => ({ name, family, address }))
  );
}
