import type { Case } from "../case.ts";
import { mtprotoRelay, PORT } from "../configs.ts";
import { RunningProgram } from "../program.ts";
import { SECRETS } from "../secret.ts";

/** From the command to the first connection taken, and what it holds when nobody is there. */
export const start: Case = {
  name: "start, and nobody there",
  metrics: [
    { name: "start ms", better: "less", digits: 0 },
    { name: "idle MB", better: "less", digits: 1 },
  ],
  fits: () => true,
  async measure(relay) {
    const setup = { config: mtprotoRelay("classic"), port: PORT, secret: SECRETS.classic, connects: true };
    await using running = await RunningProgram.start(relay, setup);
    await running.settle();
    return [running.startMs, running.memory / 1e6];
  },
};
