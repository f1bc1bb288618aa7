import { boxAddresses, linkAddresses } from "./addresses.ts";
import type { Command } from "./command.ts";
import { checkedHost, linksAsJson, printLinks, userLinks } from "./links.ts";
import { loadNamed } from "./load.ts";

export const link: Command = {
  name: "link",
  usage: "[-c FILE] [--host HOST] [--json]",
  summary: "print the links and QR codes of all users",
  help: `
Prints a tg:// link, a https://t.me link and a QR code for every user of every mtproto inbound. Whoever has a link
can use the proxy.

The links name the private addresses of this box, the LAN's first. For users outside, give the address or name that
they reach the box by with --host; the port must then be open to them. --json prints all of it for programs.`,
  flags: ["config", "confdir", "format", "host", "json"],
  run(options, screen) {
    const host = options.host === undefined ? undefined : checkedHost(options.host);
    const users = userLinks(loadNamed(options, screen), linkAddresses(boxAddresses()), host);
    if (options.json) return screen.out(linksAsJson(users));
    if (users.length === 0) {
      screen.err("The config has no mtproto inbound with users, so there are no links.");
    } else printLinks(users, screen);
  },
};
