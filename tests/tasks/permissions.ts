/**
 * What mtray may do, as Deno flags: the one list for `deno task start`, `deno task mtray`, the tests and
 * `deno compile`. `--allow-ffi` names no library: a bare name would be looked up in the working directory. What
 * `--unstable-net` allows is to share a port among workers.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
  "--unstable-net",
];
