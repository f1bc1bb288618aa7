import { type App, build } from "../app.ts";
import type { Config } from "../config/types.ts";
import { codeOf, MtrayError } from "../errors.ts";
import { openLog } from "../observe/log.ts";
import type { Clock } from "../proxy/types.ts";
import { onStop, runtime } from "../runtime/mod.ts";
import { createShared, type Shared } from "../shared.ts";
import { VERSION } from "../version.ts";
import { boxAddresses, linkAddresses } from "./addresses.ts";
import type { Command } from "./command.ts";
import { checkedDomain, drawDomain } from "./domains.ts";
import { EXIT } from "./exit.ts";
import { logRejections } from "./failures.ts";
import { firstExisting, LOCAL_PLACES, shown } from "./files.ts";
import type { Options } from "./flags.ts";
import { writeFirstConfig } from "./init.ts";
import { checkedHost, printLinks, userLinks } from "./links.ts";
import { loadNamed } from "./load.ts";
import { probeTelegram } from "./probe.ts";
import { randomBytes } from "../crypto/random.ts";
import type { Screen } from "./screen.ts";

export const run: Command = {
  name: "run",
  usage: "[-c FILE]... [-confdir DIR] [--init [--domain NAME]] [--host HOST] [--strict]",
  summary: "run a config; this is what mtray does without a command",
  help: `
Runs until it gets SIGTERM or SIGINT. Without -c it takes ./config.jsonc, ./config.json or /etc/mtray/config.jsonc,
whichever is there first.

--init first writes ./config.jsonc (or the one FILE that -c names) if there is none: port 8443, straight to Telegram,
one user with a fresh secret. It then prints the links, which are the same at every start, and tries whether Telegram
answers from this box.

Several files are put together as V2Ray does it: "log", "routing" and "policy" of a later file replace those before. Its
inbounds and outbounds replace the lists before if there are several; a single one replaces that of its tag or joins.`,
  flags: ["config", "confdir", "format", "init", "domain", "host", "strict", "test"],
  async run(given, screen) {
    const host = given.host === undefined ? undefined : checkedHost(given.host);
    const options = given.init ? withFirstConfig(given, screen) : given;
    if (!given.init && given.domain !== undefined) {
      throw new MtrayError("usage", "cannot use --domain here: it is for the config that --init writes");
    }
    const config = loadNamed(options, screen, screen.out);
    const shared = createShared(runtime);
    const app = build(config, shared);
    const stopped = untilStopped(shared.clock);
    const closeLog = openLog(config.log, shared.events, () => shared.clock.wall());
    logRejections((text) => shared.events.note("error", text));
    await start(app);
    announce(app, screen);
    offerLinks(config, { screen, host, always: given.init });
    if (given.init) probeInBackground(config, { screen, shared, until: stopped });
    await stopped;
    await app.stop();
    closeLog();
    return EXIT.stopped;
  },
};

/** Writes the first config where there is none, and names it. */
function withFirstConfig(options: Options, screen: Screen): Options {
  if (
    options.confdir.length > 0 || options.config.length > 1 || /^(-|stdin:)$/.test(options.config[0] ?? "")
  ) {
    throw new MtrayError(
      "usage",
      "cannot use --init with a folder, several files or standard input: name one file",
    );
  }
  const name = options.config[0] ?? firstExisting(LOCAL_PLACES) ?? LOCAL_PLACES[0];
  const domain = options.domain === undefined ? drawDomain(randomBytes) : checkedDomain(options.domain);
  if (writeFirstConfig(name, domain, randomBytes)) {
    screen.out(`Wrote ${shown(name)}: port, secret and comments on how to change them are in it.`);
  } else {
    screen.out(`Using ${shown(name)}.`);
    if (options.domain !== undefined) {
      screen.err(
        `--domain has no effect: ${shown(name)} is there already and its secrets name their own sites.`,
      );
    }
  }
  return { ...options, config: [name] };
}

async function start(app: App): Promise<void> {
  try {
    await app.start();
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
  until: Promise<void>;
}

function probeInBackground(config: Config, { screen, shared, until }: ProbeWishes): void {
  const stop = new AbortController();
  until.then(() => stop.abort(new MtrayError("stopped", "mtray is stopping")));
  const means = { ...shared, dial: shared.runtime.dial };
  probeTelegram(config, means, stop.signal).then((line) => {
    if (line !== undefined && !stop.signal.aborted) screen.out(line);
  });
}
