/** The sessions of a multiplexer as the contract of ByteStream sees them. */
import type { Kind } from "../../../contract/streams.ts";
import { Both, Handler } from "./support.ts";

/** `a` is the end that opened the session. */
const opened: Kind = {
  name: "mux session",
  // An end from the client would cut the answer off.
  halfCloses: false,
  async open() {
    const handler = new Handler();
    const both = new Both(handler, { client: { firstPayload: 1 } });
    const a = await both.connect();
    const { stream: b, done } = await handler.streams.next();
    return {
      a,
      b,
      end: async () => {
        done();
        await both.end();
      },
    };
  },
};

/** Both ends. */
export const muxSessions: Kind[] = [opened, {
  ...opened,
  name: "mux session, accepted end first",
  async open() {
    const { a, b, end } = await opened.open();
    return { a: b, b: a, end };
  },
}];
