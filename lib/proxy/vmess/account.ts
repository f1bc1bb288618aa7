import { md5 } from "../../crypto/hash.ts";
import { AuthIds } from "./auth_id.ts";

const LABEL = new TextEncoder().encode("c48619fe-8f02-49e0-b9e9-edf763e17e21");

/** What a user's id is used for: nothing else of the id is kept. */
export class Account {
  /** The key that all keys of a header are made of, 16 bytes. */
  readonly cmdKey: Uint8Array;
  readonly authIds: AuthIds;

  /** @param id 16 bytes, of `parseId` */
  constructor(id: Uint8Array) {
    this.cmdKey = md5(id, LABEL);
    this.authIds = new AuthIds(this.cmdKey);
  }
}
