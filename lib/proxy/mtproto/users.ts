import { sha256 } from "../../crypto/hash.ts";
import { concat, toHex } from "../../stream/bytes.ts";
import { formatSecret, type Secret } from "./secret.ts";
import type { MtprotoUser } from "./settings.ts";

/** A user as a connection meets it. */
export interface KnownUser extends MtprotoUser {
  /** Tells users apart, also across a reload, and tells nothing about the secret. */
  readonly id: string;
}

/** The users of one inbound, by the way in which they are reached. */
export class Users {
  /** Through FakeTLS only. */
  readonly tls: readonly KnownUser[];
  /** Through obfuscated2 alone. */
  readonly plain: readonly KnownUser[];

  constructor(users: readonly MtprotoUser[]) {
    const known = users.map(withId);
    this.tls = known.filter((user) => user.secret.kind === "ee");
    this.plain = known.filter((user) => user.secret.kind !== "ee");
  }
}

/** The same users, the one of that id first. Most connections from an address are one person's. */
export function withFirst(users: readonly KnownUser[], id: string | undefined): readonly KnownUser[] {
  if (id === undefined || users.length < 2) return users;
  const first = users.find((user) => user.id === id);
  return first === undefined ? users : [first, ...users.filter((user) => user !== first)];
}

/** The id is computed when somebody connects: until then nothing needs node:crypto. */
function withId(user: MtprotoUser): KnownUser {
  let id: string | undefined;
  return {
    ...user,
    get id() {
      return id ??= idOf(user.secret);
    },
  };
}

function idOf(secret: Secret): string {
  const label = new TextEncoder().encode(`user ${formatSecret(secret)}`);
  return toHex(sha256(concat(label)).subarray(0, 8));
}
