import { obey } from "../workers/worker.ts";
import { catchFailures, logRejections } from "./failures.ts";
import type { Screen } from "./screen.ts";

/** What the program does in a thread: what the main thread orders, and no command. */
export function work(screen: Screen): void {
  const worker = obey();
  catchFailures(screen, (error) => worker.failed(error));
  logRejections((text) => worker.complain(text));
}
