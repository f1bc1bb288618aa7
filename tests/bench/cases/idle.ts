import { pinged } from "../beginnings.ts";
import type { Case } from "../case.ts";
import { mtprotoRelay } from "../configs.ts";
import { withScene } from "../stage.ts";

const FEW = 1000;
const MANY = 5000;
/** Without processor time for so long, in ms, a relay has put away what the last clients left. */
const QUIET = 600;

/** What clients cost who are connected, have had one answer of 64 bytes and are silent since. */
export const idle: Case = {
  name: "idle MTProto clients",
  metrics: [
    { name: "MB at 1,000", better: "less", digits: 1 },
    { name: "MB at 5,000", better: "less", digits: 1 },
    { name: "KB per client", better: "less", digits: 1 },
  ],
  fits: () => true,
  measure(relay, workplace) {
    const scene = { config: mtprotoRelay("classic"), clients: pinged(MANY) };
    return withScene(relay, scene, workplace, async (load, running) => {
      load.order(["echo"]);
      const memoryAfter = async (more: number) => {
        await load.ask(`open ${more}`, "open");
        await running.settle(QUIET);
        await load.ask("look", "open");
        return running.memory;
      };
      const few = await memoryAfter(FEW);
      const many = await memoryAfter(MANY - FEW);
      return [few / 1e6, many / 1e6, (many - few) / (MANY - FEW) / 1e3];
    });
  },
};
