import type { Config, OutboundConfig } from "../config/types.ts";
import type { CryptoProvider } from "../crypto/types.ts";
import { addressesOf } from "../proxy/mtproto/data_centres.ts";
import { INTERMEDIATE, type MadeHeader, makeHeader } from "../proxy/mtproto/header.ts";
import type { MtprotoOutboundSettings } from "../proxy/mtproto/settings.ts";
import type { Clock, Random } from "../proxy/types.ts";
import { limited } from "../stream/limit.ts";
import type { ByteStream, Dial } from "../stream/types.ts";

/** Two in Amsterdam, one in Miami. */
const CENTRES = [2, 4, 1];

/** Milliseconds for connecting and answering together. */
const PATIENCE = 3000;

/** Where the README says what can be done. */
const ADVICE = 'README.md, "When Telegram does not answer"';

/** What the probe works with. */
export interface ProbeMeans {
  dial: Dial;
  clock: Clock;
  random: Random;
  crypto: CryptoProvider;
}

/**
 * Finds out whether Telegram's data centres answer from here, without passing through a chain.
 *
 * That a connection opens proves little where networks answer in Telegram's name, so each centre is asked the first
 * question of every MTProto session, and must begin an answer to it within three seconds.
 *
 * @returns a line for people, or nothing where no outbound goes to Telegram by itself; never rejects
 */
export async function probeTelegram(
  config: Config,
  means: ProbeMeans,
  signal: AbortSignal,
): Promise<string | undefined> {
  const outbound = config.outbounds.find((each) =>
    each.protocol === "mtproto" && each.proxyTag === undefined
  );
  if (outbound === undefined) return undefined;
  const { dataCenters } = outbound.settings as MtprotoOutboundSettings;
  // Where the config pins centres, those are Telegram; the built-in addresses may be anybody's.
  const centres = dataCenters.size > 0 ? [...dataCenters.keys()].slice(0, 3) : CENTRES;
  const answers = await Promise.all(centres.map((dc) => answersInTime(outbound, dc, means, signal)));
  return answers.includes(true)
    ? "Telegram answers directly."
    : `Telegram does not answer from here: you need a chain, see ${ADVICE}.`;
}

async function answersInTime(
  { settings }: OutboundConfig,
  dc: number,
  { dial, clock, random, crypto }: ProbeMeans,
  stop: AbortSignal,
): Promise<boolean> {
  const { dataCenters, ip } = settings as MtprotoOutboundSettings;
  const [address] = addressesOf(dc, dataCenters, ip) ?? [];
  if (address === undefined) return false;
  const deadline = clock.now() + PATIENCE;
  const limit = limited(stop, PATIENCE);
  try {
    const stream = await dial(address, {}, limit.signal);
    const close = () => stream.close();
    stop.addEventListener("abort", close);
    try {
      stop.throwIfAborted();
      const header = makeHeader({ tag: INTERMEDIATE, dc, random, crypto });
      return await answers({ stream, header, crypto, question: firstQuestion(clock, random) }, deadline);
    } finally {
      stop.removeEventListener("abort", close);
      stream.close();
    }
  } catch {
    return false;
  } finally {
    limit.done();
  }
}

interface Conversation {
  stream: ByteStream;
  header: MadeHeader;
  crypto: CryptoProvider;
  question: Uint8Array;
}

/** @param deadline in milliseconds of the monotonic clock */
async function answers(
  { stream, header, crypto, question }: Conversation,
  deadline: number,
): Promise<boolean> {
  const reading = crypto.aes256Ctr(header.downlink.key, header.downlink.iv);
  try {
    // Not waited for: a network that swallows it would hold us here beyond the deadline.
    stream.write(header.wire, header.writing.update(question))?.catch(() => {});
    const length = new Uint8Array(4);
    for (let have = 0; have < length.length;) {
      if (await stream.readyBefore(deadline) !== true) return false;
      const bytes = reading.update(stream.take());
      length.set(bytes.subarray(0, length.length - have), have);
      have += Math.min(bytes.length, length.length - have);
    }
    return isLength(new DataView(length.buffer).getUint32(0, true));
  } finally {
    header.writing.close();
    reading.close();
  }
}

/** `req_pq_multi` as an unencrypted message in the intermediate framing: what every new session begins with. */
export function firstQuestion(clock: Clock, random: Random): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(44);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 40, true);
  // No key yet: eight zero bytes. Then the message's id: its time in seconds, in the upper half.
  view.setUint32(16, Math.floor(clock.wall() / 1000), true);
  view.setUint32(20, 20, true);
  view.setUint32(24, 0xbe7e8ef1, true);
  frame.set(random(16), 28);
  return frame;
}

/**
 * Whether a decrypted word can be the length of an answer: a small multiple of four. What a network says in
 * Telegram's name decrypts to noise, which passes once in four million times.
 */
function isLength(word: number): boolean {
  return word >= 4 && word <= 4096 && word % 4 === 0;
}
