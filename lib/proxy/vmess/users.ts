import { Account } from "./account.ts";
import type { InboundUser } from "./settings.ts";

/** A user with all that is made of the id. */
export interface KnownUser {
  account: Account;
  email: string;
  level: number;
}

/** Who may connect to an inbound. */
export class Users {
  readonly #users: KnownUser[];

  constructor(users: readonly InboundUser[]) {
    this.#users = users.map(({ id, email, level }) => ({ account: new Account(id), email, level }));
  }

  /**
   * Whose auth id it is, and when it was made: it is held against every user's key.
   *
   * @param authId 16 bytes
   */
  find(authId: Uint8Array): { user: KnownUser; seconds: number } | null {
    for (const user of this.#users) {
      const seconds = user.account.authIds.open(authId);
      if (seconds !== null) return { user, seconds };
    }
    return null;
  }
}
