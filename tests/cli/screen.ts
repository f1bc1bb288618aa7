import type { Screen } from "../../lib/cli/screen.ts";

/** A screen that keeps what is written. */
export interface RecordedScreen extends Screen {
  stdout: string;
  stderr: string;
}

export function recordedScreen({ isTerminal = false, colours = false } = {}): RecordedScreen {
  return {
    stdout: "",
    stderr: "",
    isTerminal,
    colours,
    out(text) {
      this.stdout += `${text}\n`;
    },
    err(text) {
      this.stderr += `${text}\n`;
    },
  };
}
