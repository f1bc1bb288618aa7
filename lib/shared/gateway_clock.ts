import type { Events } from "../observe/events.ts";
import type { Clock, ClockWarnings } from "../proxy/types.ts";
import { RELEASED } from "../version.ts";

/** Clients that must agree before it is this gateway's clock that is wrong. */
const WITNESSES = 3;
/** Addresses that are remembered. */
const MOST_WITNESSES = 1024;
/** Within this time, in milliseconds, … */
const WITNESS_TIME = 10 * 60_000;
/** … and this closely, in seconds. */
const AGREEMENT = 30;

/** Which flag says that something was said. */
const UNSET = 0, WRONG = 1;

/** Says once what is wrong with this gateway's clock. */
export class GatewayClock implements ClockWarnings {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #said: Int32Array;
  /** Those that this router has met: with several it may take some clients more until three have met the same one. */
  readonly #witnesses = new Map<string, { seconds: number; at: number }>();

  /** @param said two flags, zero at first; other routers of the process may share them */
  constructor(clock: Clock, events: Events, said: Int32Array = new Int32Array(2)) {
    this.#clock = clock;
    this.#events = events;
    this.#said = said;
  }

  beforeRelease(): boolean {
    const before = this.#clock.wall() < RELEASED;
    if (before && this.#first(UNSET)) {
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
    if (this.#witnesses.size >= MOST_WITNESSES) return;
    this.#witnesses.set(host, { seconds, at });
    if (this.#said[WRONG] !== 0) return;
    const agreeing = [...this.#witnesses.values()].filter((w) => Math.abs(w.seconds - seconds) <= AGREEMENT);
    if (agreeing.length < WITNESSES || !this.#first(WRONG)) return;
    const [words, size] = seconds > 0 ? ["behind", seconds] : ["ahead", -seconds];
    this.#events.note(
      "warning",
      `the clock of this gateway is probably ${size} s ${words}: ${agreeing.length} clients from different ` +
        "addresses agree on it, and are refused. Set it, for example with ntpd",
    );
  }

  #first(flag: number): boolean {
    return Atomics.exchange(this.#said, flag, 1) === 0;
  }
}
