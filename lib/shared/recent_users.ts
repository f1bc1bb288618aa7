import type { LastSeen } from "../proxy/types.ts";

/** Addresses whose last user is remembered. */
const MOST_ADDRESSES = 4096;

/** Who was seen last from an address; the addresses seen longest ago are forgotten. */
export class RecentUsers implements LastSeen {
  readonly #users = new Map<string, string>();

  get(inboundTag: string, host: string): string | undefined {
    return this.#users.get(`${inboundTag} ${host}`);
  }

  set(inboundTag: string, host: string, key: string): void {
    const place = `${inboundTag} ${host}`;
    this.#users.delete(place);
    this.#users.set(place, key);
    if (this.#users.size > MOST_ADDRESSES) this.#users.delete(this.#users.keys().next().value!);
  }
}
