import { cryptoProvider } from "./crypto/provider.ts";
import { randomBytes } from "./crypto/random.ts";
import type { CryptoProvider } from "./crypto/types.ts";
import { Events } from "./observe/events.ts";
import type { AddressPreferences, Clock, ClockWarnings, Digests, LastSeen, Random } from "./proxy/types.ts";
import type { Runtime } from "./runtime/types.ts";
import { GatewayClock } from "./shared/gateway_clock.ts";
import { COUNTERS, createMemory, type ProcessMemory } from "./shared/memory.ts";
import { Preferences } from "./shared/preferences.ts";
import { RecentUsers } from "./shared/recent_users.ts";
import { DigestTable } from "./stream/digest_table.ts";

/** What outlives a configuration: it is made once in a thread and handed to every app that is built there. */
export interface Shared {
  readonly runtime: Runtime;
  /** Routers of this process, each in a thread of its own, with the same digests and counters. */
  readonly routers: number;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly digests: Digests;
  /** Each router has its own: these are hints, and one that misses them tries the usual order. */
  readonly preferences: AddressPreferences;
  /** The same. */
  readonly lastSeen: LastSeen;
  readonly warnings: ClockWarnings;
  nextSessionId(): number;
}

/** @param memory what other routers of this process share; of this one's own otherwise */
export function createShared(runtime: Runtime, memory: ProcessMemory = createMemory(1)): Shared {
  const { routers, counters } = memory;
  const events = new Events();
  const flags = counters.subarray(COUNTERS.clock, COUNTERS.clock + 2);
  runtime.countIn(counters.subarray(COUNTERS.sockets, COUNTERS.sockets + 2));
  return {
    runtime,
    routers,
    events,
    clock: systemClock,
    random: randomBytes,
    crypto: cryptoProvider(),
    digests: new DigestTable(memory.digests),
    preferences: new Preferences(systemClock),
    lastSeen: new RecentUsers(),
    warnings: new GatewayClock(systemClock, events, flags),
    nextSessionId: () => (Atomics.add(counters, COUNTERS.sessions, 1) + 1) >>> 0,
  };
}

const systemClock: Clock = { now: () => performance.now(), wall: () => Date.now() };
