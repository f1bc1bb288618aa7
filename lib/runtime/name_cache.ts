import { late } from "./late.ts";

const dns = late<typeof import("node:dns/promises")>("node:dns/promises");

/** How long an answer serves, in milliseconds. */
const LIFE = 60_000;
/** Names that are remembered, and as many that may be asked for at a time. */
const MOST = 256, MOST_ASKED = 16;

/** The system's answers for names that datagrams go to: a question for each of them would be too many. */
export class NameCache {
  /** Null: the name has no address. */
  readonly #known = new Map<string, string | null>();
  readonly #asked = new Map<string, Promise<string | null>>();
  #forgetting: ReturnType<typeof setTimeout> | undefined;

  /** Undefined: ask. */
  known(name: string): string | null | undefined {
    return this.#known.get(name);
  }

  /** An address, IPv4 where there is one; null where there is none, or too many names are being asked for. */
  resolve(name: string): Promise<string | null> {
    const known = this.#known.get(name);
    if (known !== undefined) return Promise.resolve(known);
    const asked = this.#asked.get(name);
    if (asked !== undefined) return asked;
    if (this.#asked.size >= MOST_ASKED) return Promise.resolve(null);
    const asking = ask(name).then((address) => {
      // Not after `clear`.
      if (this.#asked.delete(name)) this.#remember(name, address);
      return address;
    });
    this.#asked.set(name, asking);
    return asking;
  }

  /** Forgets everything, and leaves nothing behind. */
  clear(): void {
    this.#known.clear();
    this.#asked.clear();
    clearTimeout(this.#forgetting);
    this.#forgetting = undefined;
  }

  #remember(name: string, address: string | null): void {
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(name, address);
    this.#forgetting ??= setTimeout(() => {
      this.#forgetting = undefined;
      this.#known.clear();
    }, LIFE);
  }
}

async function ask(name: string): Promise<string | null> {
  try {
    const addresses = await dns().lookup(name, { all: true });
    return (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address ?? null;
  } catch {
    return null;
  }
}
