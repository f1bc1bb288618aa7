/** What each program is told to do, in the form that V2Ray and mtray both read. */
// @ts-types="../../lib/types/std_jsonc.d.ts"
import { parse } from "@std/jsonc";
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";
import { freedom, type Json, USER, vmessInbound, vmessOutbound } from "../v2ray/config.ts";
import { DATA_CENTRE } from "./beginnings.ts";
import { type SecretKind, SECRETS, secretText } from "./secret.ts";

/** Where every relay listens. */
export const PORT = 17443;
/** Where the v2ray beside it does. */
export const HELPER_PORT = 17444;

export type BodyCipher = "aes-128-gcm" | "chacha20-poly1305";

/** MTProto in, MTProto out. @param outbound more of the outbound's settings */
export function mtprotoRelay(kind: SecretKind, outbound: Json = {}): Json {
  const users = [{ secret: secretText(SECRETS[kind]) }];
  return config(
    { tag: "in", listen: "127.0.0.1", port: PORT, protocol: "mtproto", settings: { users } },
    { tag: "out", protocol: "mtproto", settings: outbound },
  );
}

/** Bytes in, the same bytes out. */
export function plainRelay(): Json {
  return config(doorToDataCentre(PORT), freedom);
}

/** Bytes in, VMess out to the other port. */
export function vmessClient(port: number, to: number, security: BodyCipher): Json {
  return config(doorToDataCentre(port), vmessOutbound("out", to, { security }));
}

/** VMess in, bytes out. */
export function vmessServer(port: number): Json {
  return config(vmessInbound("in", port), freedom);
}

/** The user's own gateway, with the addresses, ports and ids of the bench. */
export function seedGateway(): Json {
  const seed = parse(Deno.readTextFileSync(join(ROOT, "tests", "interop", "seed_gateway.jsonc"))) as Seed;
  const { inbounds: [inbound], outbounds: [, vmess] } = seed;
  Object.assign(inbound, { listen: "127.0.0.1", port: PORT });
  inbound.settings.users = [{ secret: secretText(SECRETS.classic) }];
  vmess.settings.vnext = [{ address: "127.0.0.1", port: HELPER_PORT, users: [{ id: USER }] }];
  return { ...quiet, ...seed };
}

interface Seed {
  inbounds: { settings: { users: Json[] } }[];
  outbounds: { settings: { vnext: Json[] } }[];
}

const quiet: Json = { log: { loglevel: "warning", access: "none" } };

function config(inbound: Json, outbound: Json): Json {
  return { ...quiet, inbounds: [inbound], outbounds: [outbound] };
}

function doorToDataCentre(port: number): Json {
  const settings = { address: DATA_CENTRE, port: 443, network: "tcp" };
  return { tag: "in", listen: "127.0.0.1", port, protocol: "dokodemo-door", settings };
}
