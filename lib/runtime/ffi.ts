import { late } from "./late.ts";

/** The C library by its names: glibc's, then musl's, which OpenWrt has. */
export const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

/** What a C function takes and gives. `buffer` is a pointer to bytes of ours, valid for the call alone. */
export type FfiType = "i32" | "pointer" | "buffer";
export type FfiResult = "i32" | "pointer" | "void";

export interface FfiSignature {
  parameters: readonly FfiType[];
  result: FfiResult;
}

/** An address that C gave us. Null is C's null. */
export type Pointer = { readonly pointer: unique symbol } | null;
export type FfiArgument = number | Uint8Array | Pointer;
export type FfiFunction = (...args: FfiArgument[]) => number | Pointer | void;

/** Loads functions of a shared library. Null when there is no such library, function or permission. */
export function openLibrary<Names extends string>(
  file: string,
  signatures: Record<Names, FfiSignature>,
): Record<Names, FfiFunction> | null {
  try {
    return ("Bun" in globalThis ? openOnBun : openOnDeno)(file, signatures) as Record<Names, FfiFunction>;
  } catch {
    return null;
  }
}

function openOnDeno(file: string, signatures: Record<string, FfiSignature>): unknown {
  return Deno.dlopen(file, signatures as Deno.ForeignLibraryInterface).symbols;
}

/** The calls of `bun:ffi` that are used. */
interface BunFfi {
  dlopen(
    file: string,
    functions: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, FfiFunction> };
}

// Not an import: Deno must be able to load this file, too.
const bunFfi = late<BunFfi>("bun:ffi");

function openOnBun(file: string, signatures: Record<string, FfiSignature>): unknown {
  const typeOf = (type: FfiType | FfiResult) => type === "buffer" || type === "pointer" ? "ptr" : type;
  const functions = Object.fromEntries(
    Object.entries(signatures).map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map(typeOf), returns: typeOf(result) },
    ]),
  );
  return bunFfi().dlopen(file, functions).symbols;
}
