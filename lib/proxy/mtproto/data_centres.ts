import type { Target } from "../../stream/types.ts";
import { ipOf } from "../../settings/address.ts";

/** Which address families an outbound dials, and in which order. "auto" is "4". */
export type IpPreference = "auto" | "4" | "6" | "4only" | "6only";

const PORT = 443;

/**
 * Addresses by signed id, in the order in which they are tried. Negative ids are media servers, those from 10001 on
 * are the test centres, 203 is the CDN. From tdlib's ConnectionCreator.cpp; the first of the media addresses, which
 * differ from the ordinary ones in centres 2 and 4 alone, from the lists that clients get.
 */
const builtIn = new Map<number, Target[]>([
  centre(1, "149.154.175.50", "2001:b28:f23d:f001::a"),
  centre(2, "149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"),
  centre(3, "149.154.175.100", "2001:b28:f23d:f003::a"),
  centre(4, "149.154.167.91", "2001:67c:4e8:f004::a"),
  centre(5, "149.154.171.5", "2001:b28:f23f:f005::a"),
  centre(-2, "149.154.167.151", "149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"),
  centre(-4, "149.154.164.250", "149.154.167.91", "2001:67c:4e8:f004::a"),
  centre(203, "91.105.192.100", "2a0a:f280:203:a:5000::100"),
  centre(10001, "149.154.175.10", "2001:b28:f23d:f001::e"),
  centre(10002, "149.154.167.40", "2001:67c:4e8:f002::e"),
  centre(10003, "149.154.175.117", "2001:b28:f23d:f003::e"),
]);

/** The centre that a client gets which asks for no particular one, as every proxy reads id 0. */
const ANY = 2;

/**
 * Where to dial for a data centre, best first; null where neither the config nor Telegram has an address for it, or
 * `ip` leaves none.
 *
 * What the config pins under the id or its absolute value stands before everything built in: an operator who pins
 * "2" must never reach the built-in centre by -2.
 *
 * @param dc the signed id from the client's header; 0 means 2
 * @param pinned `settings.dataCenters`
 */
export function addressesOf(
  dc: number,
  pinned: ReadonlyMap<number, Target[]>,
  ip: IpPreference,
): Target[] | null {
  const id = dc === 0 ? ANY : dc;
  const plain = Math.abs(id);
  const all = pinned.get(id) ?? pinned.get(plain) ?? builtIn.get(id) ?? builtIn.get(plain) ?? [];
  const first = ip.startsWith("6") ? 6 : 4;
  const found = [
    ...all.filter((target) => (familyOf(target) ?? first) === first),
    ...(ip.endsWith("only") ? [] : all.filter((target) => (familyOf(target) ?? first) !== first)),
  ];
  return found.length === 0 ? null : found;
}

/**
 * The target that rules match for a data centre: the first built-in IPv4 address of its absolute value.
 *
 * An id without one gets centre 2's. The inbound refuses nothing by id (the outbound may have it pinned), and such a
 * session is Telegram traffic like any other: it should take the rule that an operator wrote for Telegram's networks,
 * and not one for private or unspecified addresses. Only the outbound knows where it really dials.
 */
export function ruleTargetOf(dc: number): Target {
  const [first] = builtIn.get(Math.abs(dc)) ?? builtIn.get(ANY)!;
  return first;
}

/** Every target that `ruleTargetOf` can answer with, for proofs about rules. */
export function ruleTargets(): Target[] {
  return [...builtIn.keys()].filter((id) => id > 0).map(ruleTargetOf);
}

function centre(id: number, ...hosts: string[]): [number, Target[]] {
  return [id, hosts.map((host) => ({ host, port: PORT }))];
}

/** 4 or 6; nothing for a domain name, which is of the family that is asked for. */
function familyOf(target: Target): 4 | 6 | undefined {
  const address = ipOf(target.host);
  if (address === null) return undefined;
  return address.includes(":") ? 6 : 4;
}
