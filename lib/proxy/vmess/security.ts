import { cpuHasAes } from "../../crypto/cpu.ts";
import type { CryptoProvider } from "../../crypto/types.ts";
import { type Command, OPTION, type Security } from "./header.ts";
import type { OutboundUser, SecurityName } from "./settings.ts";

/** How a request's body is to be encrypted and cut. */
export interface BodyPlan {
  security: Security;
  /** Bits of OPTION. */
  options: number;
}

/** What V2Ray's clients send, for each `security`. */
export function planBody(
  { security, authenticatedLength }: Pick<OutboundUser, "security" | "authenticatedLength">,
  command: Command,
  crypto: CryptoProvider,
): BodyPlan {
  const { chunks, masking, padding } = OPTION;
  // Datagrams need their ends, and get them as sing-box writes them.
  if (security === "zero") return { security: "none", options: command === "udp" ? chunks : 0 };
  if (security === "none") return { security, options: chunks | masking };
  return {
    security: security === "auto" ? automatic(crypto) : security,
    options: chunks | masking | padding | (authenticatedLength ? OPTION.authenticatedLength : 0),
  };
}

/** It does not change, and reading it costs more than a header. */
let hasAes: boolean | undefined;

/** A table and not a measurement: two runs on one box must not differ. */
function automatic({ fastAes128Gcm }: CryptoProvider): Exclude<SecurityName, "auto" | "none" | "zero"> {
  return fastAes128Gcm && (hasAes ??= cpuHasAes()) ? "aes-128-gcm" : "chacha20-poly1305";
}
