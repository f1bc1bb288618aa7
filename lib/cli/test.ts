import { build, type Description } from "../app.ts";
import type { Config } from "../config/types.ts";
import { runtime } from "../runtime/mod.ts";
import { createShared } from "../shared.ts";
import type { TransportSettings } from "../transport/types.ts";
import type { Command } from "./command.ts";
import { loadNamed } from "./load.ts";

export const test: Command = {
  name: "test",
  usage: "-c FILE [--strict]",
  summary: "check a config without running it",
  help: `
Reads the config and builds everything that \`mtray run\` would build, then throws it away: no port is bound, no name
resolved, nothing connected or written. All complaints come at once, with line and column. Chains are printed first hop
first. Exit code 0 means that the config is right, 23 that it is not.`,
  flags: ["config", "confdir", "format", "strict"],
  run(options, screen) {
    const config = loadNamed(options, screen);
    const app = build(config, createShared(runtime));
    const description = app.describe();
    app.close();
    screen.out("Configuration OK.");
    for (const line of described(description, config)) screen.out(line);
  },
};

/** Inbounds, outbounds and chains, one line each. */
function described({ inbounds, outbounds, chains }: Description, config: Config): string[] {
  const layers = new Map(config.outbounds.map((each) => [each.tag, layersOf(each)]));
  const toTelegram = new Set(config.outbounds.filter(isMtproto).map(({ tag }) => tag));
  const hopText = (tag: string) => {
    const words = [...layers.get(tag)!, ...(toTelegram.has(tag) ? ["to Telegram"] : [])];
    return words.length === 0 ? tag : `${tag} (${words.join(", ")})`;
  };
  return [
    ...inbounds.map(({ tag, protocol, listen }, index) =>
      `  inbound   ${tag}: ${over(protocol, layersOf(config.inbounds[index]))}, listens on ${listen}`
    ),
    ...outbounds.map(({ tag, protocol }, index) =>
      `  outbound  ${tag}: ${over(protocol, layers.get(tag)!)}${
        index === 0 ? ", for what no rule takes" : ""
      }`
    ),
    ...config.routing.balancers.map(({ tag, members, strategy }) =>
      `  balancer  ${tag}: ${members.join(", ")}, ${strategy === "random" ? "drawn" : "in turns"}`
    ),
    ...chains.map((hops) => `  chain     ${hops.map(hopText).join(" → ")}`),
  ];
}

/** What lies between a protocol and TCP: "ws", "TLS". */
function layersOf({ transport }: { transport: TransportSettings }): string[] {
  const { network, tls, httpHeader } = transport;
  return [
    ...(network === "tcp" ? [] : [network]),
    ...(httpHeader === undefined ? [] : ["HTTP header"]),
    ...(tls === undefined ? [] : ["TLS"]),
  ];
}

function over(protocol: string, layers: string[]): string {
  return layers.length === 0 ? protocol : `${protocol} over ${layers.join(" over ")}`;
}

function isMtproto({ protocol }: { protocol: string }): boolean {
  return protocol === "mtproto";
}
