/** Files, at once. On Deno by Deno's own calls: node:fs is large, see late.ts. Errors have Node's `code`. */
import { late } from "./late.ts";

const onBun = "Bun" in globalThis;
const fs = late<typeof import("node:fs")>("node:fs");

/** A whole file. */
export function readFile(name: string): Uint8Array {
  return onBun ? fs().readFileSync(name) : Deno.readFileSync(name);
}

/** A whole file as text. */
export function readTextFile(name: string): string {
  return onBun ? fs().readFileSync(name, "utf8") : Deno.readTextFileSync(name);
}

/** All that comes through standard input. */
export function readStandardInput(): Uint8Array {
  return fs().readFileSync(0);
}

/** Whether something of that name can be seen. */
export function exists(name: string): boolean {
  if (onBun) return fs().existsSync(name);
  try {
    Deno.statSync(name);
    return true;
  } catch {
    return false;
  }
}

/** The names in a folder. */
export function namesIn(folder: string): string[] {
  return onBun ? fs().readdirSync(folder) : Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** A file that grows at its end. */
export interface Appended {
  write(text: string): void;
  close(): void;
}

/** Opens a file to append to; one that is not there is made, and nobody else may read it. */
export function append(name: string): Appended {
  if (onBun) {
    const file = fs().openSync(name, "a", 0o600);
    return { write: (text) => void fs().writeSync(file, text), close: () => fs().closeSync(file) };
  }
  const file = Deno.openSync(name, { append: true, create: true, mode: 0o600 });
  const encoder = new TextEncoder();
  return { write: (text) => void file.writeSync(encoder.encode(text)), close: () => file.close() };
}
