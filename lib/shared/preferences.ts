import type { AddressPreferences, Clock } from "../proxy/types.ts";
import { textOf } from "../runtime/address.ts";
import type { Target } from "../stream/types.ts";

/** How long an address that failed goes last, in milliseconds. */
const COOLDOWN = 10 * 60_000;

/** Addresses that failed lately go last, the one that failed longest ago first among them. */
export class Preferences implements AddressPreferences {
  readonly #failures = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  order(addresses: readonly Target[]): readonly Target[] {
    if (this.#failures.size === 0) return addresses;
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
