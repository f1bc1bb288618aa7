import { codeOf, describe, MtrayError } from "../errors.ts";
import { debugging, type Screen } from "./screen.ts";

/** Exit codes. 23 is V2Ray's: service managers are told not to start such a config again and again. */
export const EXIT = { stopped: 0, failed: 1, usage: 2, config: 23 } as const;

/** Says what went wrong, in one sentence unless it was a list of complaints, and chooses the exit code. */
export function report(error: unknown, screen: Screen): number {
  const say = (text: string) => screen.err(withoutLinks(text));
  if (debugging()) say(error instanceof Error && error.stack ? error.stack : String(error));
  if (!(error instanceof MtrayError)) {
    say(`mtray: an unexpected failure: ${describe(error)} (MTRAY_DEBUG=1 shows where)`);
    return EXIT.failed;
  }
  say(error.message);
  const code = codeOf(error);
  return code === "config" ? EXIT.config : code === "usage" ? EXIT.usage : EXIT.failed;
}

/** A share link holds a secret, also where it was put by mistake and the message quotes it. */
function withoutLinks(text: string): string {
  return text.replace(/\b(vmess|vless|trojan|ss|ssr|hysteria2?|hy2|tuic|tg):\/\/\S+/gi, "$1://…");
}
