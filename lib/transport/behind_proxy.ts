import ipaddr from "ipaddr.js";
import { MtrayError } from "../errors.ts";
import { concat } from "../stream/bytes.ts";
import type { Accepted } from "../stream/types.ts";
import { parseProxyHeader } from "./proxy_protocol.ts";

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Loopback and private addresses: what `acceptProxyProtocol: true` trusts where no `trustedProxies` stand. */
export const PRIVATE_NETWORKS: readonly string[] = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
  ...["::1/128", "fc00::/7", "fe80::/10"],
];

/** Networks as CIDR, or single addresses. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  });
}

/** A connection, and what was read of it behind the header. */
export interface Introduced {
  accepted: Accepted;
  rest: Uint8Array | undefined;
}

/**
 * Reads the PROXY header of a connection, which then counts as the client's that it names.
 *
 * @throws {MtrayError} `protocol`, for a connection from elsewhere and for one without a header
 */
export async function readIntroduction(
  accepted: Accepted,
  trusted: readonly Network[],
): Promise<Introduced> {
  const { stream, remote } = accepted;
  if (!isWithin(remote.host, trusted)) {
    throw new MtrayError("protocol", "no relay that may say who its client is (trustedProxies)");
  }
  for (let bytes: Uint8Array = new Uint8Array();;) {
    const verdict = parseProxyHeader(bytes);
    if (verdict.kind === "bad") throw new MtrayError("protocol", `it sent ${verdict.why}`);
    if (verdict.kind === "header") {
      const rest = bytes.subarray(verdict.used);
      return {
        accepted: verdict.endpoints === null ? accepted : { ...accepted, ...verdict.endpoints },
        rest: rest.length > 0 ? rest : undefined,
      };
    }
    if (!await stream.ready()) {
      throw new MtrayError(
        bytes.length === 0 ? "closed" : "protocol",
        "it left before it said whose connection this is",
      );
    }
    bytes = concat(bytes, stream.take());
  }
}

function isWithin(host: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(host.split("%")[0])) return false;
  const address = ipaddr.process(host.split("%")[0]);
  return networks.some(([network, bits]) => {
    if (network.kind() !== address.kind()) return false;
    return address.match(network as ipaddr.IPv4 & ipaddr.IPv6, bits);
  });
}
