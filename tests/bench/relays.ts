import { join } from "node:path";
import { bundle } from "../tasks/bundle.ts";
import { compile } from "../tasks/compile.ts";
import { CACHE, DIST, ROOT } from "../tasks/paths.ts";
import { PERMISSIONS } from "../tasks/permissions.ts";
import { run, tail } from "../tasks/run.ts";
import { TARGETS } from "../tasks/targets.ts";
import { bun, hostBunName, inCi, MissingTool, v2ray } from "../tasks/tools.ts";
import type { Options } from "./options.ts";
import type { Program } from "./program.ts";
import { REFERENCE } from "./table.ts";
import { libcryptoFiles, withoutFiles } from "./without_libcrypto.ts";

/** A program to measure. Plain data, so that it can be handed to the process inside the network namespace. */
export interface Relay extends Program {
  command: string[];
  /** A peer is told its port and a classic secret, and can do nothing but MTProto. */
  kind: "mtray" | "v2ray" | "peer";
  /** Its version, and where mtray's ciphers come from. */
  about: string;
  /** libcrypto is kept from it. */
  withoutLibcrypto?: boolean;
}

/** The relays that take part, and what is to be said of those that do not. */
export interface Relays {
  relays: Relay[];
  v2ray: string | null;
  /** Left out, for a reason that is no fault. */
  notes: string[];
  /** Asked for, and not measurable. */
  failures: string[];
}

const RUN = ["run", "-c", "{config}"];

/** Makes and fetches all that is to be measured. */
export async function findRelays({ peers, relay: wanted }: Options): Promise<Relays> {
  const found: Relays = { relays: [], v2ray: null, notes: [], failures: [] };
  await optional(found, async () => {
    const file = await v2ray();
    const about = await firstLine([file, "-version"]);
    found.v2ray = file;
    found.relays.push({ name: REFERENCE, kind: "v2ray", command: [file, "-config", "{config}"], about });
  });
  const forms = await mtrayForms(found);
  for (const [name, command] of forms) await addMtray(found, name, command);
  const libraries = await libcryptoFiles();
  if (libraries.length === 0) found.notes.push("no libcrypto is here: no relay has it");
  else {
    for (const [name, command] of forms.slice(0, 2)) {
      await addMtray(found, `${name}, no libcrypto`, withoutFiles(libraries, command), true);
    }
  }
  for (const { name, command } of peers) {
    found.relays.push({ name, kind: "peer", command: command.split(/\s+/), about: command });
  }
  found.relays = found.relays.filter(({ name }) => name === REFERENCE || name.includes(wanted));
  return found;
}

/** Name and command, without arguments: on Deno, on Bun, and the single file. */
async function mtrayForms(found: Relays): Promise<[string, string[]][]> {
  const bundled = join(DIST, "mtray.js");
  await bundle(join(ROOT, "main.ts"), bundled);
  const forms: [string, string[]][] = [
    ["mtray, Deno", [Deno.execPath(), "run", ...PERMISSIONS, join(ROOT, "main.ts")]],
  ];
  await optional(found, async () => {
    forms.push(["mtray, Bun", [await bun(), bundled]]);
    const target = TARGETS.find((candidate) => candidate.bun === hostBunName());
    if (target === undefined) return;
    const file = join(CACHE, "bench", "mtray");
    await compile(target, bundled, file);
    forms.push(["mtray, single file", [file]]);
  });
  return forms;
}

async function addMtray(
  found: Relays,
  name: string,
  command: string[],
  withoutLibcrypto = false,
): Promise<void> {
  const done = await run([...command, "version", "--verbose"], { limit: 30 });
  // It also speaks of the config that it finds where it is started, which is none of the bench's.
  const lines = done.stdout.split("\n").filter((line) => /^(mtray|runtime|machine|ciphers) /.test(line));
  const about = lines.map((line) => line.replaceAll(/\s+/g, " ").trim()).join(", ");
  if (done.code !== 0) found.failures.push(`${name}: it does not start: ${tail(done.output)}`);
  else if (withoutLibcrypto && about.includes("libcrypto")) {
    found.failures.push(`${name}: libcrypto could not be kept from it: ${about}`);
  } else found.relays.push({ name, kind: "mtray", command: [...command, ...RUN], about, withoutLibcrypto });
}

async function firstLine(command: string[]): Promise<string> {
  return (await run(command, { limit: 10 })).stdout.split("\n")[0];
}

async function optional(found: Relays, find: () => Promise<void>): Promise<void> {
  try {
    await find();
  } catch (error) {
    if (!(error instanceof MissingTool) || inCi()) throw error;
    found.notes.push(`left out: ${error.message}`);
  }
}
