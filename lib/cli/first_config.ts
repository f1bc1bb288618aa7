import { MtrayError } from "../errors.ts";
import type { Random } from "../proxy/types.ts";
import { formatSecret } from "../proxy/mtproto/secret.ts";
import { late } from "../runtime/late.ts";
import { toHex } from "../stream/bytes.ts";
import { reasonOf } from "./files.ts";
import type { SharedOutbound } from "./share_outbound.ts";

const fs = late<typeof import("node:fs")>("node:fs");

/** The port of a config that `--init` writes: free on most boxes, and no root is needed for it. */
export const PORT = 8443;

/** A fresh `ee` secret for a domain, in hex. */
export function freshSecret(domain: string, random: Random): string {
  return formatSecret({ kind: "ee", key: random(16), domain });
}

/**
 * Writes a config, readable by its owner only, unless the file is there already.
 *
 * The text goes into a file of its own first and then gets its name, in one step that fails where the name is
 * taken: of two starts at the same moment one writes, and the other reads a whole file.
 *
 * @returns whether this call wrote it
 * @throws MtrayError `start` where the folder cannot be written
 */
export function writeFirstConfig(name: string, text: string, random: Random): boolean {
  if (fs().existsSync(name)) return false;
  const draft = `${name}.${toHex(random(6))}`;
  try {
    fs().writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    return claim(draft, name, text);
  } catch (error) {
    throw new MtrayError("start", `cannot write ${name}: ${reasonOf(error)}`, { cause: error });
  } finally {
    fs().rmSync(draft, { force: true });
  }
}

function claim(draft: string, name: string, text: string): boolean {
  try {
    fs().linkSync(draft, name);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
  }
  // A file system without hard links, such as FAT on a stick.
  try {
    fs().writeFileSync(name, text, { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/**
 * The text of a first config.
 *
 * @param carrier carries the connections to Telegram; without it they go there directly
 */
export function firstConfig(domain: string, secret: string, carrier?: SharedOutbound): string {
  const [inbound, outbound] = carrier === undefined ? ["telegram-in", "telegram-out"] : ["tg-in", "tg-out"];
  return `// The configuration of mtray: where Telegram clients come in and where they go out.
// JSON with comments and trailing commas. It holds secrets, so keep it readable for yourself only.
// After a change: check it with "mtray test", then stop mtray and start it again.
// (From the sources every "mtray ..." below is "deno task mtray ...".)
{
  "log": {
    // "" prints to standard output; a path writes a file; "none" is silence.
    "access": "",
    "error": "",
    // debug, info, warning, error or none
    "loglevel": "info"
  },

  "inbounds": [
    {
      "tag": "${inbound}",
      "protocol": "mtproto",
      // Every address of this box. To serve one network only, write the box's address in it.
      "listen": "0.0.0.0",
      "port": ${PORT},
      "settings": {
        "users": [
          // A secret that begins with "ee" ends in the name of a web site, here ${domain}.
          // The connection looks like one to that site, and a stranger who knocks at this port is shown it.
          // The name was given by you or drawn from a list. A good one is a large site
          //   - hosted near this box, in the same network if you can,
          //   - that speaks TLS 1.3 and is not blocked where your users are,
          //   - and that answers from this box: curl -I https://${domain}
          // "mtray secret --domain NAME" makes a secret for another site. A new secret needs a new link.
          { "email": "me", "secret": "${secret}" },

          // One line for each user, with a secret and a name of their own; "mtray secret" makes the secret,
          // "mtray link" prints everybody's links. The name appears in the log.
          // { "email": "somebody", "secret": "..." },
        ]
      }
    }
  ],

  "outbounds": [
${carrier === undefined ? direct(outbound) : carried(outbound, carrier)}
  ],

  "routing": {
    "rules": [
      { "inboundTag": ["${inbound}"], "outboundTag": "${outbound}" }
    ]
  }
}
`;
}

function direct(tag: string): string {
  return `    {
      "tag": "${tag}",
      // Straight to Telegram's data centres.
      "protocol": "mtproto",
      "settings": {},
      // A chain goes here: the tag of another outbound of this list that shall carry these connections.
      // "mtray import LINK" makes an outbound of a vmess:// link.
      // "proxySettings": { "tag": "..." },
    }`;
}

function carried(tag: string, carrier: SharedOutbound): string {
  const lines = JSON.stringify(carrier, null, 2).replaceAll(/^/gm, "    ");
  return `    {
      "tag": "${tag}",
      // To Telegram's data centres ...
      "protocol": "mtproto",
      "settings": {},
      // ... carried by the outbound of this tag. If it is lost, nothing goes out another way.
      "proxySettings": { "tag": "${carrier.tag}" }
    },

    // What the link said. The server at this address connects to Telegram for you.
    // For another one put in what "mtray import LINK" prints.
${lines}`;
}
