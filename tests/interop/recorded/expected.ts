import type { RequestHeader } from "../../../lib/proxy/vmess/header.ts";
import type { Recording } from "./recording.ts";

/** What a client's configuration says, as far as it shows in the header. */
interface Asked {
  security: string;
  experiments?: string;
  /** sing-box's options. */
  [key: string]: unknown;
}

interface ClientConfig {
  outbounds: [Asked & { settings?: { vnext: [{ users: [Asked] }] }; mux?: { enabled: boolean } }];
}

const CHUNKS = 1, MASKING = 4, PADDING = 8, LENGTH = 16;

/** The header that a client of this configuration must send, without what is random. */
export function expectedHeader(
  recording: Recording,
): Pick<RequestHeader, "options" | "security" | "command" | "target"> {
  const { client, exchanges } = recording;
  const config = client.config as ClientConfig;
  const [outbound] = config.outbounds;
  const asked = outbound.settings?.vnext[0].users[0] ?? outbound;
  const isXray = client.program === "xray";
  const { network, host, port } = exchanges[0];

  const xudp = network === "udp" && (isXray ? client.env === undefined : asked.packet_encoding === "xudp");
  const command = xudp || outbound.mux?.enabled ? "mux" : network;
  const target = command === "mux" ? undefined : { host, port };

  const isOpen = ["none", "zero"].includes(asked.security) && client.version !== "26.7.28";
  if (isOpen) {
    const xrays = asked.security === "none" ? CHUNKS | MASKING : 0;
    const sings = command === "udp" ? CHUNKS : 0;
    return { options: isXray ? xrays : sings, security: "none", command, target };
  }
  const padding = isXray || asked.global_padding;
  const length = asked.authenticated_length || asked.experiments?.includes("AuthenticatedLength");
  return {
    options: CHUNKS | MASKING | (padding ? PADDING : 0) | (length ? LENGTH : 0),
    security: asked.security === "chacha20-poly1305" ? "chacha20-poly1305" : "aes-128-gcm",
    command,
    target,
  };
}
