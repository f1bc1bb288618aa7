import type { Random } from "../proxy/types.ts";
import type { BalancerConfig } from "./types.ts";

/** Makes a function that says which member takes the next session. Members that fail keep their turns. */
export function compileBalancer({ members, strategy }: BalancerConfig, random: Random): () => string {
  if (strategy === "random") return () => members[drawIndex(members.length, random)];
  let next = 0;
  return () => {
    const member = members[next];
    next = (next + 1) % members.length;
    return member;
  };
}

/** From 0 to `count` - 1; for any list that fits a config the bias of the remainder does not matter. */
function drawIndex(count: number, random: Random): number {
  const [a, b, c, d] = random(4);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % count;
}
