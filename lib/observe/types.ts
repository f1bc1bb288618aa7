/** Where logs go and how much they say. */
export interface LogConfig {
  /** A file, "none", or "" for standard output. */
  access: string;
  /** A file, "none", or "" for standard output and standard error. */
  error: string;
  level: "debug" | "info" | "warning" | "error" | "none";
}
