import { type App, build } from "../app.ts";
import type { Config, OutboundConfig } from "../config/types.ts";
import { codeOf, describe, MtrayError } from "../errors.ts";
import { openLog } from "../observe/log.ts";
import type { Clock } from "../proxy/types.ts";
import { onStop, runtime } from "../runtime/mod.ts";
import { createShared, type Shared } from "../shared.ts";
import { createMemory } from "../shared/memory.ts";
import { VERSION } from "../version.ts";
import { Crew, routersOf } from "../workers/crew.ts";
import { boxAddresses, linkAddresses } from "./addresses.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit.ts";
import { logRejections } from "./failures.ts";
import { firstExisting, LOCAL_PLACES, readConfigs, shown } from "./files.ts";
import type { Options } from "./flags.ts";
import { linkFrom } from "./import.ts";
import { configName, writeConfig } from "./init.ts";
import { checkedHost, printLinks, userLinks } from "./links.ts";
import { loadFiles } from "./load.ts";
import { probeTelegram } from "./probe.ts";
import type { Screen } from "./screen.ts";
import { importLink } from "./share_outbound.ts";

export const run: Command = {
  name: "run",
  usage: "[-c FILE]... [-confdir DIR] [--init [--domain NAME] [--vmess LINK]] [--host HOST] [--strict]",
  summary: "run a config; this is what mtray does without a command",
  help: `
Runs until it gets SIGTERM or SIGINT. Without -c it takes ./config.jsonc, ./config.json or /etc/mtray/config.jsonc,
whichever is there first.

--init first writes ./config.jsonc (or the one FILE that -c names) if there is none, as \`mtray init\` does: port 8443,
one user with a fresh secret, straight to Telegram or through the server of a vmess:// link. It then prints the links,
which are the same at every start, and tries whether Telegram answers.

Several files are put together as V2Ray does it: "log", "routing", "policy" and "workers" of a later file replace those
before. Its inbounds and outbounds replace the lists before if there are several; a single one replaces that of its tag
or joins.`,
  flags: ["config", "confdir", "format", "init", "domain", "vmess", "host", "strict", "test"],
  async run(asked, screen) {
    const given = { ...asked, vmess: linkFrom(asked.vmess) };
    const host = given.host === undefined ? undefined : checkedHost(given.host);
    const options = given.init ? withFirstConfig(given, screen) : given;
    for (const flag of ["domain", "vmess"] as const) {
      if (given.init || given[flag] === undefined) continue;
      throw new MtrayError("usage", `cannot use --${flag} here: it is for the config that --init writes`);
    }
    const files = readConfigs(options, screen.out);
    const config = loadFiles(files, options, screen);
    if (given.vmess !== undefined) mustHold(config, given.vmess, options.config[0]);
    const memory = createMemory(checkedRouters(config));
    const shared = createShared(runtime, memory);
    const app = build(config, shared);
    const stopped = untilStopped(shared.clock);
    const crew = new Crew(files, memory);
    const closeLog = openLog(config.log, shared.events, () => shared.clock.wall());
    logRejections((text) => shared.events.note("error", text));
    await start(app, crew);
    announce(app, screen);
    offerLinks(config, { screen, host, always: given.init });
    if (given.init) probeInBackground(config, { screen, shared, app, until: stopped });
    try {
      await Promise.race([stopped, crew.failed]);
    } catch (error) {
      // Standard error hears of it in any case, also as the log.
      if (config.log.error !== "") shared.events.note("error", describe(error));
      throw error;
    }
    await Promise.all([app.stop(), crew.stop()]);
    closeLog();
    return EXIT.stopped;
  },
};

/** @throws MtrayError `start`, where several routers cannot share a port */
function checkedRouters(config: Config): number {
  const routers = routersOf(config);
  if (routers > 1 && runtime.cannotShare !== null) {
    throw new MtrayError("start", `cannot start ${routers} workers: ${runtime.cannotShare}`);
  }
  return routers;
}

/** Writes the first config where there is none, and names it. */
function withFirstConfig(given: Options, screen: Screen): Options {
  const name = configName(given) ?? firstExisting(LOCAL_PLACES) ?? LOCAL_PLACES[0];
  if (!writeConfig(name, given, screen)) {
    screen.out(`Using ${shown(name)}.`);
    if (given.domain !== undefined) {
      screen.err(
        `--domain has no effect: ${shown(name)} is there already and its secrets name their own sites.`,
      );
    }
  }
  return { ...given, config: [name] };
}

/**
 * A config that was there before must lead through the server of the link: whoever gives one does not want to go
 * straight to Telegram.
 *
 * @throws MtrayError `usage`
 */
function mustHold(config: Config, link: string, name: string): void {
  const server = ({ settings, transport }: OutboundConfig) => JSON.stringify([settings, transport]);
  const wanted = server(importLink(link).config);
  if (config.outbounds.some((each) => server(each) === wanted)) return;
  throw new MtrayError(
    "usage",
    `cannot use --vmess: ${
      shown(name)
    } is there already, and goes another way; put in what \`mtray import\` prints, ` +
      "or name another file with -c",
  );
}

async function start(app: App, crew: Crew): Promise<void> {
  try {
    await crew.listen(await app.start());
  } catch (error) {
    if (codeOf(error) !== "start") throw error;
    const remedy = 'Stop the program that has the port, or change "port" or "listen" of this inbound';
    throw new MtrayError("start", `${(error as Error).message}. ${remedy}.`, { cause: error });
  }
}

/** Signals that come this close are one: `deno task` passes on a Ctrl+C that the program gets as well. Milliseconds. */
const SAME_SIGNAL = 300;

/** Settles at the first SIGTERM or SIGINT; a second one does not wait for anything. */
function untilStopped(clock: Clock): Promise<void> {
  let askedAt: number | undefined;
  return new Promise((resolve) =>
    onStop(() => {
      const now = clock.now();
      if (askedAt !== undefined && now - askedAt > SAME_SIGNAL) runtime.exit(EXIT.stopped);
      askedAt ??= now;
      resolve();
    })
  );
}

function announce(app: App, screen: Screen): void {
  const places = app.describe().inbounds.map(({ tag, protocol, listen }) =>
    `${tag} (${protocol}) on ${listen}`
  );
  screen.out(`mtray ${VERSION} is running: ${places.join(", ") || "no inbounds"}.`);
}

interface LinkWishes {
  screen: Screen;
  host?: string;
  /** Also where nobody seems to look. */
  always: boolean;
}

function offerLinks(config: Config, { screen, host, always }: LinkWishes): void {
  const users = userLinks(config, linkAddresses(boxAddresses()), host);
  if (users.length === 0) return;
  if (always || screen.isTerminal) printLinks(users, screen);
  else screen.out("The links of its users are not printed into a log: `mtray link` shows them.");
}

interface ProbeWishes {
  screen: Screen;
  shared: Shared;
  app: App;
  until: Promise<void>;
}

function probeInBackground(config: Config, { screen, shared, app, until }: ProbeWishes): void {
  const stop = new AbortController();
  until.then(() => stop.abort(new MtrayError("stopped", "mtray is stopping")));
  const means = { ...shared, dial: (tag?: string) => app.dial(tag) };
  probeTelegram(config, means, stop.signal).then((line) => {
    if (line !== undefined && !stop.signal.aborted) screen.out(line);
  });
}
