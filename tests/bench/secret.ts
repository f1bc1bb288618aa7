export type SecretKind = "classic" | "ee";

/** What the clients of an MTProto relay know. */
export interface Secret {
  kind: SecretKind;
  key: Uint8Array;
  /** What `ee` clients ask for. */
  domain: string;
}

/** One for each kind; every run of the bench draws its own. */
export const SECRETS: Record<SecretKind, Secret> = { classic: draw("classic"), ee: draw("ee") };

/** The secret as it stands in a config or link. */
export function secretText({ kind, key, domain }: Secret): string {
  const domainHex = new TextEncoder().encode(domain).toHex();
  return kind === "ee" ? `ee${key.toHex()}${domainHex}` : key.toHex();
}

function draw(kind: SecretKind): Secret {
  return { kind, key: crypto.getRandomValues(new Uint8Array(16)), domain: "www.example.com" };
}
