import { beginning, DATA_CENTRE } from "../beginnings.ts";
import type { Case, Metric } from "../case.ts";
import { runLoad } from "../load.ts";
import { PORT, RunningRelay, type Secret, type SecretKind } from "../relay.ts";

const METRICS: readonly Metric[] = [
  { name: "GB/s", better: "more", digits: 2 },
  { name: "CPU s/GB", better: "less", digits: 2 },
  { name: "peak MB", better: "less", digits: 0 },
  { name: "load s/GB", digits: 2 },
];

export interface BulkOptions {
  name: string;
  direction: "up" | "down";
  connections: number;
  secret: SecretKind;
  slow?: boolean;
  /** For mtray alone: added to the mtproto outbound's settings. */
  outboundSettings?: Record<string, unknown>;
}

/** As many bytes as the relay can move, one way. */
export function bulk(
  { name, direction, connections, secret: kind, slow, outboundSettings }: BulkOptions,
): Case {
  return {
    name: `${name}, ${connections} connection${connections === 1 ? "" : "s"}`,
    metrics: METRICS,
    slow,
    fits: (relay) =>
      relay.secrets.includes(kind) && (outboundSettings === undefined || relay.secrets.includes("ee")),
    async measure(relay, { load, bytes }) {
      const secret = newSecret(kind);
      const running = await RunningRelay.start(relay, { secret, outboundSettings });
      try {
        let cpu = 0;
        const moved = await runLoad(load, {
          relay: `127.0.0.1 ${PORT}`,
          dataCentre: `${DATA_CENTRE} 443`,
          direction,
          bytes: Math.ceil(bytes / connections),
          beginnings: Array.from({ length: connections }, () => beginning(secret)),
        }, {
          started: () => cpu = -running.cpu,
          finished: () => cpu += running.cpu,
        });
        const gigabytes = moved.bytes / 1e9;
        return [
          gigabytes / moved.seconds,
          cpu / gigabytes,
          running.peakMemory / 1e6,
          moved.loadCpu / gigabytes,
        ];
      } catch (error) {
        const said = running.output.trim();
        throw new Error(`${error instanceof Error ? error.message : error}${said && `; it said: ${said}`}`);
      } finally {
        await running.stop();
      }
    },
  };
}

function newSecret(kind: SecretKind): Secret {
  return { kind, key: crypto.getRandomValues(new Uint8Array(16)), domain: "www.example.com" };
}
