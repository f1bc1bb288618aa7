/** What does not count by the byte: connections that come and go, and little messages. */
import { beginnings, pinged } from "../beginnings.ts";
import type { Case } from "../case.ts";
import { mtprotoRelay } from "../configs.ts";
import { withScene } from "../stage.ts";

/** Of all round trips, so many are done before the measuring begins, for the same reason as in bulk. */
const WARM = 0.1;

/** Milliseconds before the measuring begins: v2ray puts nothing away before a second has passed. */
const WARM_MS = 1500;
/** More than that the generator cannot do. */
const MOST_A_SECOND = 14_000;

/** Clients that connect, send header and 64 bytes, get 64 back and close; counted when both sides are closed. */
export function shortConnections(parallel: number): Case {
  return {
    name: `short MTProto connections, ${parallel} at a time`,
    metrics: [
      { name: "a second", better: "more", digits: 0 },
      { name: "CPU µs each", better: "less", digits: 0 },
      { name: "peak MB", better: "less", digits: 0 },
      { name: "load µs each", digits: 0 },
    ],
    slow: parallel !== 16,
    fits: () => true,
    measure(relay, workplace) {
      const ms = workplace.quick ? 1000 : 2000;
      const count = MOST_A_SECOND * (WARM_MS + ms) / 1000;
      const scene = { config: mtprotoRelay("classic"), clients: pinged(count) };
      return withScene(relay, scene, workplace, async (load, running) => {
        const done = await load.measure(`short ${parallel} ${WARM_MS} ${ms}`);
        return [
          done.amount / done.seconds,
          done.relayCpu / done.amount * 1e6,
          running.peakMemory / 1e6,
          done.loadCpu / done.amount * 1e6,
        ];
      });
    },
  };
}

/** 64 bytes to the data centre and 64 back, again and again on every connection. */
export function roundTrips(connections: number): Case {
  return {
    name: `round trips of 64 bytes, ${connections} connection${connections === 1 ? "" : "s"}`,
    metrics: [
      { name: "thousands a second", better: "more", digits: 1 },
      { name: "CPU µs each", better: "less", digits: 1 },
      { name: "load µs each", digits: 1 },
    ],
    slow: connections === 1,
    fits: () => true,
    measure(relay, workplace) {
      const count = (connections === 1 ? 20_000 : 50_000) * (workplace.quick ? 0.5 : 1);
      const scene = { config: mtprotoRelay("classic"), clients: beginnings("classic", connections) };
      return withScene(relay, scene, workplace, async (load) => {
        const done = await load.measure(`trips ${count} ${count * WARM}`);
        return [
          done.amount / done.seconds / 1e3,
          done.relayCpu / done.amount * 1e6,
          done.loadCpu / done.amount * 1e6,
        ];
      });
    },
  };
}
