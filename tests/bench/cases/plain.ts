import { plainBeginnings } from "../beginnings.ts";
import { type Case, readsConfig } from "../case.ts";
import { plainRelay } from "../configs.ts";
import { bulk } from "./bulk.ts";

/** Bytes in, the same bytes out: dokodemo-door and freedom. */
export function plain(direction: "up" | "down", connections: number): Case {
  return bulk({
    name: `plain relay, ${direction === "up" ? "upload" : "download"}`,
    direction,
    connections,
    megabytes: 600,
    slow: direction === "up",
    fits: readsConfig,
    scene: (count) => ({ config: plainRelay(), clients: plainBeginnings(count) }),
  });
}
