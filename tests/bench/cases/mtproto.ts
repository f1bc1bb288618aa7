import { beginnings } from "../beginnings.ts";
import { type Case, readsConfig } from "../case.ts";
import { HELPER_PORT, mtprotoRelay, seedGateway, vmessServer } from "../configs.ts";
import type { SecretKind } from "../secret.ts";
import { bulk } from "./bulk.ts";

interface MtprotoBulk {
  name: string;
  direction: "up" | "down";
  connections: number;
  secret?: SecretKind;
  /** Has the relay encrypt downloads anew, which V2Ray always does. */
  adopt?: false;
}

/** MTProto in, MTProto out. */
export function mtproto({ name, direction, connections, secret = "classic", adopt }: MtprotoBulk): Case {
  const mtrayOnly = secret === "ee" || adopt === false;
  return bulk({
    name: `MTProto ${name}`,
    direction,
    connections,
    megabytes: 400,
    encrypts: direction === "up",
    slow: adopt === false,
    fits: ({ kind }) => kind === "mtray" || !mtrayOnly,
    scene: (count) => ({
      config: mtprotoRelay(secret, adopt === false ? { adoptDownlinkKey: false } : {}),
      secret,
      clients: beginnings(secret, count),
    }),
  });
}

/** The chain of the seed: the relay is the gateway, and a v2ray the VMess server that it goes through. */
export function seedChain(direction: "up" | "down", connections: number): Case {
  return bulk({
    name: `seed's chain, ${direction === "up" ? "upload" : "download"}`,
    direction,
    connections,
    megabytes: 250,
    needsV2ray: true,
    slow: direction === "up",
    fits: readsConfig,
    scene: (count) => ({
      config: seedGateway(),
      helper: vmessServer(HELPER_PORT),
      clients: beginnings("classic", count),
    }),
  });
}
