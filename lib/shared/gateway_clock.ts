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
    if (this.#witnesses.size >= MOST_WITNESSES) return;
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
