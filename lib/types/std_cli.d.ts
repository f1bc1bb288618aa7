/** The part of `@std/cli/parse-args` that mtray uses; the npm copy of the package carries no types. */

export interface ParseOptions {
  string?: readonly string[];
  boolean?: readonly string[];
  collect?: readonly string[];
  alias?: Record<string, readonly string[]>;
  /**
   * Called for every argument that no option names: for flags with their key, for words without. False drops the
   * argument.
   */
  unknown?: (argument: string, key?: string, value?: unknown) => boolean;
}

/** Flags by name; `_` holds the words. */
export type ParsedArguments = { _: unknown[] } & Record<string, unknown>;

export function parseArgs(args: readonly string[], options?: ParseOptions): ParsedArguments;
