import { plainBeginnings } from "../beginnings.ts";
import { type Case, readsConfig } from "../case.ts";
import { type BodyCipher, HELPER_PORT, PORT, vmessClient, vmessServer } from "../configs.ts";
import { bulk } from "./bulk.ts";

const CIPHERS: Record<BodyCipher, string> = {
  "aes-128-gcm": "AES-128-GCM",
  "chacha20-poly1305": "ChaCha20-Poly1305",
};

/** All four ways with that cipher. The other end is a v2ray, which shares the processors and is not measured. */
export function vmess(security: BodyCipher, connections: number): Case[] {
  return (["client", "server"] as const).flatMap((side) =>
    (["send", "receive"] as const).map((way) => vmessBulk({ side, way, security, connections }))
  );
}

interface VmessBulk {
  /** What the measured relay is. */
  side: "client" | "server";
  /** Whether it encrypts or decrypts. */
  way: "send" | "receive";
  security: BodyCipher;
  connections: number;
}

function vmessBulk({ side, way, security, connections }: VmessBulk): Case {
  const isClient = side === "client";
  return bulk({
    name: `VMess ${side}, ${way}, ${CIPHERS[security]}`,
    direction: isClient === (way === "send") ? "up" : "down",
    connections,
    megabytes: 200,
    needsV2ray: true,
    encrypts: true,
    slow: !isClient || security !== "aes-128-gcm",
    fits: readsConfig,
    scene: (count) => ({
      clients: plainBeginnings(count),
      helperInFront: !isClient,
      ...(isClient
        ? { config: vmessClient(PORT, HELPER_PORT, security), helper: vmessServer(HELPER_PORT) }
        : { config: vmessServer(PORT), helper: vmessClient(HELPER_PORT, PORT, security) }),
    }),
  });
}
