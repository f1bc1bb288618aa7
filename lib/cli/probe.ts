import type { Config, OutboundConfig } from "../config/types.ts";
import type { CryptoProvider } from "../crypto/types.ts";
import { describe } from "../errors.ts";
import { addressesOf } from "../proxy/mtproto/data_centres.ts";
import { INTERMEDIATE, type MadeHeader, makeHeader } from "../proxy/mtproto/header.ts";
import type { MtprotoOutboundSettings } from "../proxy/mtproto/settings.ts";
import type { Clock, Random } from "../proxy/types.ts";
import { limited } from "../stream/limit.ts";
import { type ByteStream, type Dial, timedOut } from "../stream/types.ts";

/** Two in Amsterdam, one in Miami. */
const CENTRES = [2, 4, 1];

/** Milliseconds for connecting and answering together: directly, and through a chain, whose hops shake hands first. */
const PATIENCE = { direct: 3000, chain: 5000 };

/** Where the README says what can be done. */
const ADVICE = 'README.md, "When Telegram does not answer"';

/** What the probe works with. */
export interface ProbeMeans {
  /** Through the outbound of that tag, or directly. */
  dial(outboundTag?: string): Dial;
  clock: Clock;
  random: Random;
  crypto: CryptoProvider;
}

/**
 * Finds out whether Telegram's data centres answer, by the way that connections to them take: that of the first
 * mtproto outbound.
 *
 * That a connection opens proves little where networks answer in Telegram's name, so each centre is asked the first
 * question of every MTProto session, and must begin an answer to it within three seconds, or five through a chain.
 *
 * @returns a line for people, or nothing where no outbound goes to Telegram; never rejects
 */
export async function probeTelegram(
  config: Config,
  means: ProbeMeans,
  signal: AbortSignal,
): Promise<string | undefined> {
  const outbound = config.outbounds.find(({ protocol }) => protocol === "mtproto");
  if (outbound === undefined) return undefined;
  const hops = hopsBelow(outbound, config.outbounds);
  const patience = hops.length > 0 ? PATIENCE.chain : PATIENCE.direct;
  const { dataCenters } = outbound.settings as MtprotoOutboundSettings;
  // Where the config pins centres, those are Telegram; the built-in addresses may be anybody's.
  const centres = dataCenters.size > 0 ? [...dataCenters.keys()].slice(0, 3) : CENTRES;
  const answers = await Promise.all(centres.map((dc) => answerOf(outbound, dc, { means, patience, signal })));
  const answered = answers.includes(null);
  if (hops.length === 0) {
    return answered
      ? "Telegram answers directly."
      : `Telegram does not answer from here: you need a chain, see ${ADVICE}.`;
  }
  const way = `through ${hops.map(({ tag }) => tag).join(" → ")}`;
  if (answered) return `Telegram answers ${way}.`;
  // A VMess server says nothing to those whom it does not know.
  const hint = hops.some(({ protocol }) => protocol === "vmess")
    ? " Are the server's address, port and id right, and does this box's clock agree with it?"
    : "";
  return `Telegram does not answer ${way}: ${answers[0]}.${hint} See ${ADVICE}.`;
}

/** The outbounds that carry one, first hop first. */
function hopsBelow({ proxyTag }: OutboundConfig, outbounds: OutboundConfig[]): OutboundConfig[] {
  const hop = outbounds.find(({ tag }) => tag === proxyTag);
  return hop === undefined ? [] : [...hopsBelow(hop, outbounds), hop];
}

interface Attempt {
  means: ProbeMeans;
  /** Milliseconds. */
  patience: number;
  signal: AbortSignal;
}

/** @returns why there was no answer, or null where there was one */
async function answerOf(
  { settings, proxyTag }: OutboundConfig,
  dc: number,
  { means: { dial, clock, random, crypto }, patience, signal: stop }: Attempt,
): Promise<string | null> {
  const { dataCenters, ip } = settings as MtprotoOutboundSettings;
  const [address] = addressesOf(dc, dataCenters, ip) ?? [];
  if (address === undefined) return `no address is known for data centre ${dc}`;
  const deadline = clock.now() + patience;
  const limit = limited(stop, patience);
  try {
    const stream = await dial(proxyTag)(address, { alone: true }, limit.signal);
    const close = () => stream.close();
    stop.addEventListener("abort", close);
    try {
      stop.throwIfAborted();
      const header = makeHeader({ tag: INTERMEDIATE, dc, random, crypto });
      const question = firstQuestion(clock, random);
      const answer = await answerTo({ stream, header, crypto, question }, deadline);
      return answer === timedOut ? `nothing came back within ${patience / 1000} seconds` : answer;
    } finally {
      stop.removeEventListener("abort", close);
      stream.close();
    }
  } catch (error) {
    return describe(error);
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

/**
 * @param deadline in milliseconds of the monotonic clock
 * @returns why there was no answer, or null where there was one
 */
async function answerTo(
  { stream, header, crypto, question }: Conversation,
  deadline: number,
): Promise<string | null | typeof timedOut> {
  const reading = crypto.aes256Ctr(header.downlink.key, header.downlink.iv);
  try {
    // Not waited for: a network that swallows it would hold us here beyond the deadline.
    stream.write(header.wire, header.writing.update(question))?.catch(() => {});
    const length = new Uint8Array(4);
    for (let have = 0; have < length.length;) {
      const ready = await stream.readyBefore(deadline);
      if (ready === timedOut) return timedOut;
      if (!ready) return "the connection was closed without an answer";
      const bytes = reading.update(stream.take());
      length.set(bytes.subarray(0, length.length - have), have);
      have += Math.min(bytes.length, length.length - have);
    }
    const answered = isLength(new DataView(length.buffer).getUint32(0, true));
    return answered ? null : "what came back is no answer of Telegram's";
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
