import { environment } from "../runtime/process.ts";

/** Where a command writes. Tests give their own. */
export interface Screen {
  /** One line or more to standard output. */
  out(text: string): void;
  /** One line or more to standard error. */
  err(text: string): void;
  /** Whether a person is likely to look at standard output. */
  readonly isTerminal: boolean;
  /** Whether colours may be used there. */
  readonly colours: boolean;
}

/** The real one. `console` is what both runtimes write at once and whole, also into a pipe. */
export function realScreen(isTerminal: boolean): Screen {
  const plain = environment("NO_COLOR") || environment("TERM") === "dumb";
  return {
    out: (text) => console.log(text),
    err: (text) => console.error(text),
    isTerminal,
    colours: isTerminal && !plain,
  };
}

/** Whether stack traces are wanted. */
export function debugging(): boolean {
  return environment("MTRAY_DEBUG") === "1";
}
