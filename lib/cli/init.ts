import { MtrayError } from "../errors.ts";
import { randomBytes } from "../crypto/random.ts";
import type { Command } from "./command.ts";
import { checkedDomain, drawDomain } from "./domains.ts";
import { LOCAL_PLACES, shown } from "./files.ts";
import { firstConfig, freshSecret, PORT, writeFirstConfig } from "./first_config.ts";
import type { Options } from "./flags.ts";
import { linkFrom } from "./import.ts";
import type { Screen } from "./screen.ts";
import { importLink } from "./share_outbound.ts";

export const init: Command = {
  name: "init",
  usage: "[-c FILE] [--domain NAME] [--vmess LINK]",
  summary: "write a first config",
  help: `
Writes ./config.jsonc, or the FILE that -c names, unless it is there: port ${PORT}, one user with a fresh secret, and
comments on how to change them. Without --vmess it goes straight to Telegram. With it, it goes there through the VMess
server of a vmess:// link: the link becomes an outbound that carries the other one. --vmess - reads the link from
standard input, where no list of processes shows it.

\`mtray run --init\` does the same and runs the config at once.`,
  flags: ["config", "domain", "vmess"],
  run(options, screen) {
    const name = configName(options) ?? LOCAL_PLACES[0];
    if (!writeConfig(name, { ...options, vmess: linkFrom(options.vmess) }, screen)) {
      throw new MtrayError(
        "start",
        `cannot write ${shown(name)}: it is there already; remove it, or name another file with -c`,
      );
    }
    const file = name === LOCAL_PLACES[0] ? "" : ` -c ${name}`;
    screen.out(
      `Next: \`mtray run --init${file}\` runs it, prints the links and tries whether Telegram answers.`,
    );
  },
};

/**
 * The one file that -c names, if any.
 *
 * @throws MtrayError `usage` where a config could not be written
 */
export function configName({ config, confdir }: Options): string | undefined {
  if (confdir.length > 0 || config.length > 1 || /^(-|stdin:)$/.test(config[0] ?? "")) {
    throw new MtrayError(
      "usage",
      "cannot write a config into a folder, several files or standard input: name one file",
    );
  }
  return config[0];
}

/** Writes the config that these options ask for. @returns false where the file is there */
export function writeConfig(name: string, { domain, vmess }: Options, screen: Screen): boolean {
  const site = domain === undefined ? drawDomain(randomBytes) : checkedDomain(domain);
  const imported = vmess === undefined ? undefined : importLink(vmess);
  const text = firstConfig(site, freshSecret(site, randomBytes), imported?.outbound);
  if (!writeFirstConfig(name, text, randomBytes)) return false;
  screen.out(`Wrote ${shown(name)}: port, secret and comments on how to change them are in it.`);
  for (const note of imported?.notes ?? []) screen.err(`warning: ${note}`);
  return true;
}
