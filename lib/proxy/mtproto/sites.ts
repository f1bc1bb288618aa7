import type { Target } from "../../stream/types.ts";
import type { Fallback, MtprotoInboundSettings } from "./settings.ts";

/** A site and how to reach it. */
export type Site = Omit<Fallback, "name">;

const HTTPS = 443;

/** Which site a stranger is shown. */
export class Sites {
  readonly #byName = new Map<string, Site>();
  readonly #first: Site | undefined;

  constructor({ users, fallbacks }: Pick<MtprotoInboundSettings, "users" | "fallbacks">) {
    const any = fallbacks.find((fallback) => fallback.name === "");
    for (const { secret } of users) {
      if (secret.kind === "ee") {
        this.#byName.set(secret.domain, any ?? siteAt({ host: secret.domain, port: HTTPS }));
      }
    }
    const ofUsers = this.#byName.values().next().value;
    for (const fallback of fallbacks) if (fallback.name !== "") this.#byName.set(fallback.name, fallback);
    this.#first = any ?? fallbacks[0] ?? ofUsers;
  }

  /** Whether there is one at all: without, a stranger is met with silence. */
  get any(): boolean {
    return this.#first !== undefined;
  }

  /**
   * The site of that name, else the first. The address comes from the config or the secret, never from the name that
   * a stranger sent.
   *
   * @param name lower case; empty when the stranger sent none
   */
  for(name: string): Site {
    const site = this.#byName.get(name) ?? this.#first;
    if (site === undefined) throw new RangeError("this inbound has no site");
    return site;
  }
}

function siteAt(dest: Target): Site {
  return { dest, xver: 0, outboundTag: "" };
}
