import { MtrayError } from "../errors.ts";
import { formatSecret } from "../proxy/mtproto/secret.ts";
import type { Command } from "./command.ts";
import { checkedDomain, drawDomain } from "./domains.ts";
import { randomBytes } from "../crypto/random.ts";

export const secret: Command = {
  name: "secret",
  usage: "[--domain NAME] [--kind ee|dd|classic]",
  summary: "make a secret for a user",
  help: `
Prints one fresh secret for "users" of an mtproto inbound.

  ee       looks like a TLS connection to the site that --domain names; what to use today
  dd       random padding, for apps that do not know ee
  classic  32 hex characters, for the oldest apps and for V2Ray`,
  flags: ["domain", "kind"],
  run({ domain, kind = "ee" }, screen) {
    const key = randomBytes(16);
    if (kind === "classic" || kind === "dd") {
      if (domain !== undefined) {
        throw new MtrayError("usage", `cannot put a domain into a ${kind} secret: only ee secrets have one`);
      }
      return screen.out(formatSecret({ kind, key, domain: "" }));
    }
    if (kind !== "ee") {
      throw new MtrayError("usage", `cannot make a secret of the kind ${kind}: there are ee, dd and classic`);
    }
    const name = domain === undefined ? drawDomain(randomBytes) : checkedDomain(domain);
    screen.out(formatSecret({ kind, key, domain: name }));
    // Not on standard output, which a script may want to read.
    if (screen.isTerminal) {
      screen.err(`An ee secret for ${name}. --kind dd and --kind classic make the older kinds.`);
    }
  },
};
