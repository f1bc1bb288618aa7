import { cryptoProvider } from "./crypto/provider.ts";
import { randomBytes } from "./crypto/random.ts";
import type { CryptoProvider } from "./crypto/types.ts";
import { Events } from "./observe/events.ts";
import type { AddressPreferences, Clock, ClockWarnings, Digests, LastSeen, Random } from "./proxy/types.ts";
import type { Runtime } from "./runtime/types.ts";
import { GatewayClock } from "./shared/gateway_clock.ts";
import { Preferences } from "./shared/preferences.ts";
import { RecentUsers } from "./shared/recent_users.ts";
import { DigestTable } from "./stream/digest_table.ts";

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
