import { MtrayError } from "../../errors.ts";
import type { ByteStream } from "../../stream/types.ts";
import { lastAnswer, parseHead, readHead } from "../http_head.ts";
import { sendAway } from "../rest.ts";
import type { WebSocketSettings } from "../types.ts";
import { judgeRequest, serverAnswer } from "./handshake.ts";
import { WebSocketStream } from "./stream.ts";

/**
 * Answers a request for a WebSocket. Everybody else is told in HTTP that there is nothing here.
 *
 * @param first what was read of the stream already
 * @throws {MtrayError} `protocol`; the stream is left open, with its last word said
 */
export async function acceptWebSocket(
  stream: ByteStream,
  settings: WebSocketSettings,
  first: Uint8Array | undefined,
): Promise<ByteStream> {
  const request = await readHead(stream, first);
  if (request === null) throw new MtrayError("closed", "the client left before it asked for anything");
  const head = parseHead(request.head);
  const asked = judgeRequest(head, settings);
  if (typeof asked === "string") {
    await sendAway(stream, lastAnswer(asked));
    throw new MtrayError("protocol", `it asked for no WebSocket of this port, and was told ${asked}`);
  }
  await stream.write(serverAnswer(asked));
  return new WebSocketStream(stream, { isClient: false, early: asked.early, first: request.rest });
}
