import type { Case, Metric, Workplace } from "../case.ts";
import type { Relay } from "../relays.ts";
import { type Scene, withScene } from "../stage.ts";

const METRICS: readonly Metric[] = [
  { name: "GB/s", better: "more", digits: 2 },
  { name: "CPU s/GB", better: "less", digits: 2 },
  { name: "peak MB", better: "less", digits: 0 },
  { name: "load s/GB", digits: 2 },
];

/**
 * What a run moves before it measures, as a part of what it measures: connections grow to their speed and a runtime
 * compiles what it runs often, which a gateway does once in its life.
 */
const WARM = 0.25;
/** A quick look is not for small differences. */
const QUICK = 0.4;

export interface Bulk extends Pick<Case, "slow" | "encrypts" | "needsV2ray" | "fits"> {
  name: string;
  direction: "up" | "down";
  connections: number;
  /** Payload that is enough for this kind of work: a fifth of a second of the fastest relay's processor time. */
  megabytes: number;
  /** A fresh one for each run. */
  scene(connections: number): Scene;
}

/** As many bytes as the relay can move, one way. */
export function bulk({ name, direction, connections, megabytes, scene, ...rest }: Bulk): Case {
  const measure = async (relay: Relay, workplace: Workplace) => {
    const bytes = workplace.bytes ?? megabytes * 1e6 * (workplace.quick ? QUICK : 1);
    const each = Math.ceil(bytes / connections);
    const stage = { ...scene(connections), bytes: bytes * (1 + WARM) };
    return await withScene(relay, stage, workplace, async (load, running) => {
      const done = await load.measure(`bulk ${direction} ${each} ${Math.ceil(each * WARM)}`);
      const gigabytes = done.amount / 1e9;
      return [
        gigabytes / done.seconds,
        done.relayCpu / gigabytes,
        running.peakMemory / 1e6,
        done.loadCpu / gigabytes,
      ];
    });
  };
  const plural = connections === 1 ? "" : "s";
  return { ...rest, name: `${name}, ${connections} connection${plural}`, metrics: METRICS, measure };
}
