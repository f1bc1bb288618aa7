import { build, type Description } from "../app.ts";
import { runtime } from "../runtime/mod.ts";
import { createShared } from "../shared.ts";
import type { Command } from "./command.ts";
import { loadNamed } from "./load.ts";

export const test: Command = {
  name: "test",
  usage: "-c FILE [--strict]",
  summary: "check a config without running it",
  help: `
Reads the config and builds everything that \`mtray run\` would build, then throws it away: no port is bound, no name
resolved, nothing connected or written. All complaints come at once, with line and column. Exit code 0 means that the
config is right, 23 that it is not.`,
  flags: ["config", "confdir", "format", "strict"],
  run(options, screen) {
    const config = loadNamed(options, screen);
    const app = build(config, createShared(runtime));
    const description = app.describe();
    app.close();
    screen.out("Configuration OK.");
    for (const line of described(description, config.outbounds[0].tag)) screen.out(line);
  },
};

/** Inbounds, outbounds and chains, one line each. */
function described({ inbounds, outbounds, chains }: Description, first: string): string[] {
  return [
    ...inbounds.map(({ tag, protocol, listen }) => `  inbound   ${tag}: ${protocol}, listens on ${listen}`),
    ...outbounds.map(({ tag, protocol }) =>
      `  outbound  ${tag}: ${protocol}${tag === first ? ", for what no rule takes" : ""}`
    ),
    ...chains.map((hops) => `  chain     ${hops.join(" -> ")}`),
  ];
}
