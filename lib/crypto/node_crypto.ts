import { late } from "../runtime/late.ts";

/** Node's ciphers and digests, for which a program that waits has no use. */
export const nodeCrypto = late<typeof import("node:crypto")>("node:crypto");
