import { randomBytes } from "../../crypto/random.ts";
import { MtrayError } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import type { ByteStream, Target } from "../../stream/types.ts";
import { abortable } from "../abortable.ts";
import { parseHead, readHead } from "../http_head.ts";
import type { WebSocketSettings } from "../types.ts";
import { base64, clientRequest, complaintAboutAnswer, hostOf } from "./handshake.ts";
import { WebSocketStream } from "./stream.ts";

/** What a client makes a WebSocket of. */
interface ClientOptions {
  target: Target;
  /** Whether TLS lies below. */
  encrypted: boolean;
  /** Goes into the request. */
  early: Uint8Array;
}

/** Asks for a WebSocket. Where it rejects, with `refused` or `unreachable`, the stream is closed. */
export async function openWebSocket(
  stream: ByteStream,
  settings: WebSocketSettings,
  { target, encrypted, early }: ClientOptions,
  signal: AbortSignal,
): Promise<ByteStream> {
  try {
    return await abortable(stream, signal, async () => {
      const key = base64(randomBytes(16));
      await stream.write(clientRequest(settings, { host: hostOf(target, encrypted), key, early }));
      const answer = await readHead(stream);
      if (answer === null) {
        throw new MtrayError("refused", "the server ended the connection instead of answering");
      }
      const complaint = complaintAboutAnswer(parseHead(answer.head), key);
      if (complaint !== undefined) throw new MtrayError("refused", complaint);
      return new WebSocketStream(stream, { isClient: true, first: answer.rest });
    });
  } catch (error) {
    stream.close();
    throw openingFailed(`cannot open a WebSocket at ${textOf(target)}`, error);
  }
}

/** What went wrong, said by whoever asked. */
export function openingFailed(what: string, error: unknown): MtrayError {
  const known = error instanceof MtrayError ? error : undefined;
  if (known?.code === "stopped") return known;
  const code =
    known === undefined || known.code === "timed-out" || known.code === "closed" || known.code === "reset"
      ? "unreachable"
      : known.code === "protocol"
      ? "refused"
      : known.code;
  return new MtrayError(code, `${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
}
