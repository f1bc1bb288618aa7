import { MtrayError } from "../errors.ts";
import { readStandardInput } from "../runtime/files.ts";
import type { Command } from "./command.ts";
import { importLink } from "./share_outbound.ts";

export const importCommand: Command = {
  name: "import",
  usage: "LINK",
  summary: "turn a vmess:// link into an outbound",
  help: `
Prints the entry of "outbounds" that a vmess:// share link stands for, as JSON. Links in v2rayN's form, in Xray's and
in Shadowrocket's are read. What mtray cannot do is refused in a sentence; what it leaves out is said on standard error.

The link is a secret. Where other users of this machine could see the command line, write - and put the link into
standard input. To carry Telegram through its server, name its tag in "proxySettings" of the mtproto outbound;
\`mtray init --vmess LINK\` writes a whole config.`,
  flags: [],
  takesWords: true,
  run({ words }, screen) {
    if (words.length !== 1) {
      throw new MtrayError(
        "usage",
        "cannot import: give one link, in quotes; - reads it from standard input",
      );
    }
    const { outbound, notes } = importLink(linkFrom(words[0]));
    screen.out(JSON.stringify(outbound, null, 2));
    for (const note of notes) screen.err(`warning: ${note}`);
  },
};

/** A link as the command line gives it; - stands for standard input, which can be read once. */
export function linkFrom<Text extends string | undefined>(text: Text): Text | string {
  return text === "-" ? new TextDecoder().decode(readStandardInput()) : text;
}
