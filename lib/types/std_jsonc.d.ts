/** What lib/ uses of @std/jsonc; the package on npm carries no types. */

/** @throws {SyntaxError} with the offset at the end of the message, unless the text ends too early */
export function parse(text: string): unknown;
