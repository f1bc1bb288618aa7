import { pinged } from "../beginnings.ts";
import type { Case } from "../case.ts";
import { mtprotoRelay } from "../configs.ts";
import { withScene } from "../stage.ts";

const CLIENTS = 1000;
/** Seconds without a byte taken after which a relay takes no more. */
const QUIET = 1;

/** What a relay holds for clients that read nothing, while a fast data centre offers without end. */
export const stalled: Case = {
  name: "1,000 stalled readers",
  metrics: [
    { name: "MB more than idle", better: "less", digits: 1 },
    { name: "idle MB", better: "less", digits: 1 },
  ],
  slow: true,
  fits: () => true,
  measure(relay, workplace) {
    const scene = { config: mtprotoRelay("classic"), clients: pinged(CLIENTS) };
    return withScene(relay, scene, workplace, async (load, running) => {
      load.order(["echo"]);
      await load.ask(`open ${CLIENTS}`, "open");
      await running.settle();
      const idle = running.memory;
      running.forgetPeak();
      await load.measure(`flood ${QUIET}`);
      const more = running.peakMemory - idle;
      return [more / 1e6, idle / 1e6];
    });
  },
};
