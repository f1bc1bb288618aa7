import type { LogConfig } from "./types.ts";
import { MtrayError } from "../errors.ts";
import type { Events, Note } from "./events.ts";
import { append, type Appended } from "../runtime/files.ts";
import { accessLineOf, lineOf } from "./log_lines.ts";

/** Takes one line without its end. */
type Sink = (line: string) => void;

const LEVELS = ["debug", "info", "warning", "error", "none"] as const;
const NAMES = { debug: "Debug", info: "Info", warning: "Warning", error: "Error" };

/**
 * Writes both logs from now on. Files are appended to, and made with mode 0600.
 *
 * @param wall milliseconds since 1970
 * @returns a function that ends it
 * @throws {MtrayError} `start`, when a file cannot be opened
 */
export function openLog(config: LogConfig, events: Events, wall: () => number): () => void {
  const close: (() => void)[] = [];
  const open = (path: string, standard: (level: Note["level"]) => Sink) => {
    if (path === "none") return undefined;
    if (path === "") return standard;
    const file = openFile(path);
    close.push(file.close);
    return () => file.sink;
  };
  const access = open(config.access, () => console.log);
  // procd and systemd file what comes over standard error as errors: only what somebody should read goes there.
  const errors = open(
    config.error,
    (level) => level === "warning" || level === "error" ? console.error : console.log,
  );
  const least = LEVELS.indexOf(config.level);
  close.push(events.listen((event) => {
    const accessLine = access === undefined ? undefined : accessLineOf(event);
    if (accessLine !== undefined) access!("info")(`${stamp(wall())} ${oneLine(accessLine)}`);
    const { level, text } = lineOf(event);
    if (errors === undefined || LEVELS.indexOf(level) < least) return;
    // What the access log has already said on the same screen is not said again.
    if (accessLine !== undefined && config.access === config.error) return;
    errors(level)(`${stamp(wall())} [${NAMES[level]}] ${oneLine(text)}`);
  }));
  return () => close.forEach((end) => end());
}

function openFile(path: string): { sink: Sink; close: () => void } {
  let file: Appended;
  try {
    file = append(path);
  } catch (error) {
    throw new MtrayError("start", `cannot open the log ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const sink = (line: string) => {
    try {
      file.write(`${line}\n`);
    } catch { /* A full disk must not end anybody's connection. */ }
  };
  return { sink, close: () => file.close() };
}

/** "2026/11/22 16:00:00", local time, as V2Ray writes it. */
function stamp(milliseconds: number): string {
  const now = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())} ` +
    `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}

/** What came from the network cannot make a line of its own, nor colour the screen. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}
