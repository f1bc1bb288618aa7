import { late } from "./late.ts";

/** The C library by its names: glibc's, then musl's, which OpenWrt has. */
export const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

/** What a C function takes and gives. `buffer` is bytes of ours, or `from` them, and valid for the call alone. */
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
    return (onBun ? openOnBun : openOnDeno)(file, signatures) as Record<Names, FfiFunction>;
  } catch {
    return null;
  }
}

/**
 * The bytes from an offset on, for a parameter that is a `buffer`. Make it for one call. Whoever calls sees to it that
 * the offset is inside and the bytes are long enough.
 */
export function from(bytes: Uint8Array, at: number): FfiArgument {
  // Each way is the cheaper one where it is used: a view costs Bun more than all the rest of a call.
  if (onBun) return bunFfi().ptr(bytes) + at;
  return at === 0 ? bytes : bytes.subarray(at);
}

/** An address that lasts, for a parameter that is a `pointer`: for as long as somebody holds the bytes. */
export function pinned(bytes: Uint8Array<ArrayBuffer>): Pointer {
  // A small array has an address that lasts only once somebody has asked for its buffer.
  void bytes.buffer;
  return (onBun ? bunFfi().ptr(bytes) : Deno.UnsafePointer.of(bytes)) as unknown as Pointer;
}

/** A pointer as a number, to be written into memory that C reads. */
export function addressOf(pointer: Pointer): bigint {
  return onBun
    ? BigInt(pointer as unknown as number)
    : Deno.UnsafePointer.value(pointer as unknown as Deno.PointerValue);
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
  ptr(bytes: Uint8Array): number;
}

const onBun = "Bun" in globalThis;
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
