import type { Case } from "../case.ts";
import { RunningRelay } from "../relay.ts";

/** From the command to the first connection taken, and what it holds when nobody is there. */
export const start: Case = {
  name: "start, and nobody there",
  metrics: [
    { name: "start ms", better: "less", digits: 0 },
    { name: "idle MB", better: "less", digits: 1 },
  ],
  fits: () => true,
  async measure(relay) {
    const secret = { kind: "classic", key: crypto.getRandomValues(new Uint8Array(16)), domain: "" } as const;
    const running = await RunningRelay.start(relay, { secret });
    try {
      await running.settle();
      return [running.startMs, running.memory / 1e6];
    } finally {
      await running.stop();
    }
  },
};
