import { cryptoProvider } from "./crypto/provider.ts";
import { randomBytes } from "./crypto/random.ts";
import type { CryptoProvider } from "./crypto/types.ts";
import { Events } from "./observe/events.ts";
import type { AddressPreferences, Clock, ClockWarnings, Digests, LastSeen, Random } from "./proxy/types.ts";
import { textOf } from "./runtime/address.ts";
import type { Runtime } from "./runtime/types.ts";
import { DigestTable } from "./stream/digest_table.ts";
import type { Target } from "./stream/types.ts";
import { RELEASED } from "./version.ts";

/** What outlives a configuration: it is made once and handed to every app that is built. */
export interface Shared {
  readonly runtime: Runtime;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly digests: Digests;
  readonly preferences: AddressPreferences;
  readonly lastSeen: LastSeen;
  readonly warnings: ClockWarnings;
  nextSessionId(): number;
}

/** @param clock the system's, unless a test has its own */
export function createShared(runtime: Runtime, clock: Clock = systemClock): Shared {
  const events = new Events();
  let sessions = 0;
  return {
    runtime,
    events,
    clock,
    random: randomBytes,
    crypto: cryptoProvider(),
    digests: new DigestTable(),
    preferences: new Preferences(clock),
    lastSeen: new RecentUsers(),
    warnings: new GatewayClock(clock, events),
    nextSessionId: () => ++sessions,
  };
}

const systemClock: Clock = { now: () => performance.now(), wall: () => Date.now() };

/** How long an address that failed goes last, in milliseconds. */
const COOLDOWN = 10 * 60_000;

/** Addresses that failed lately go last, the one that failed longest ago first among them. */
export class Preferences implements AddressPreferences {
  readonly #failures = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  order(addresses: readonly Target[]): Target[] {
    const since = this.#clock.now() - COOLDOWN;
    for (const [address, at] of this.#failures) if (at < since) this.#failures.delete(address);
    const failedAt = (address: Target) => this.#failures.get(textOf(address)) ?? 0;
    return addresses.toSorted((a, b) => failedAt(a) - failedAt(b));
  }

  failed(address: Target): void {
    this.#failures.set(textOf(address), this.#clock.now());
  }

  worked(address: Target): void {
    this.#failures.delete(textOf(address));
  }
}

/** Addresses whose last user is remembered. */
const MOST_ADDRESSES = 4096;

/** Who was seen last from an address; the addresses seen longest ago are forgotten. */
export class RecentUsers implements LastSeen {
  readonly #users = new Map<string, string>();

  get(inboundTag: string, host: string): string | undefined {
    return this.#users.get(`${inboundTag} ${host}`);
  }

  set(inboundTag: string, host: string, key: string): void {
    const place = `${inboundTag} ${host}`;
    this.#users.delete(place);
    this.#users.set(place, key);
    if (this.#users.size > MOST_ADDRESSES) this.#users.delete(this.#users.keys().next().value!);
  }
}

/** Clients that must agree before it is this gateway's clock that is wrong. */
const WITNESSES = 3;
/** Within this time, in milliseconds, … */
const WITNESS_TIME = 10 * 60_000;
/** … and this closely, in seconds. */
const AGREEMENT = 30;

/** Says once what is wrong with this gateway's clock. */
export class GatewayClock implements ClockWarnings {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #witnesses = new Map<string, { seconds: number; at: number }>();
  #saidUnset = false;
  #saidWrong = false;

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  beforeRelease(): boolean {
    const before = this.#clock.wall() < RELEASED;
    if (before && !this.#saidUnset) {
      this.#saidUnset = true;
      this.#events.note(
        "warning",
        "the clock of this gateway is not set: until it is, clients are let in whatever their time is",
      );
    }
    return before;
  }

  differs(host: string, seconds: number): void {
    const at = this.#clock.now();
    for (const [other, witness] of this.#witnesses) {
      if (witness.at < at - WITNESS_TIME) this.#witnesses.delete(other);
    }
    if (this.#witnesses.size >= MOST_ADDRESSES) return;
    this.#witnesses.set(host, { seconds, at });
    if (this.#saidWrong) return;
    const agreeing = [...this.#witnesses.values()].filter((w) => Math.abs(w.seconds - seconds) <= AGREEMENT);
    if (agreeing.length < WITNESSES) return;
    this.#saidWrong = true;
    const [words, size] = seconds > 0 ? ["behind", seconds] : ["ahead", -seconds];
    this.#events.note(
      "warning",
      `the clock of this gateway is probably ${size} s ${words}: ${agreeing.length} clients from different ` +
        "addresses agree on it, and are refused. Set it, for example with ntpd",
    );
  }
}
