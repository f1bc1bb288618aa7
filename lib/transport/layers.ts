import { randomBytes } from "../crypto/random.ts";
import { MtrayError } from "../errors.ts";
import type { Runtime } from "../runtime/types.ts";
import { limited } from "../stream/limit.ts";
import type { Accepted, Dial } from "../stream/types.ts";
import { abortable } from "./abortable.ts";
import { parseNetworks, readIntroduction } from "./behind_proxy.ts";
import { DelayedStream } from "./delayed_stream.ts";
import { withHttpHeader } from "./http_header.ts";
import { acceptHttpUpgrade, openHttpUpgrade } from "./http_upgrade.ts";
import { withFirst } from "./rest.ts";
import { HANDSHAKE, tlsAround, tlsServer } from "./tls.ts";
import type { TransportSettings, WebSocketSettings } from "./types.ts";
import { openWebSocket } from "./websocket/client.ts";
import { acceptWebSocket } from "./websocket/server.ts";

/** What an outbound puts around its lowest dial. */
export interface Layers {
  /** Wraps a dial; the result opens streams that have the layers on them. */
  around(lowest: Dial): Dial;
  /** Whether a layer hides what passes. */
  readonly encrypts: boolean;
}

/** What an inbound takes off a connection before its protocol begins. */
export interface InboundLayers {
  /**
   * The connection as the protocol sees it. It rejects when the client does not do its part, and then the stream is
   * left to the caller.
   */
  accept(accepted: Accepted, signal: AbortSignal): Promise<Accepted>;
}

/** `network: "tcp"` without `security`: the stream as it is. */
export const plainLayers: Layers = { around: (lowest) => lowest, encrypts: false };

/**
 * The layers of an outbound.
 *
 * @param tlsOnly for an outbound whose transport does not run over its chain: TLS does all the same
 */
export function outboundLayers(settings: TransportSettings, runtime: Runtime, tlsOnly: boolean): Layers {
  const wraps: ((lowest: Dial) => Dial)[] = [];
  const { keepAlive, tls, network } = settings;
  const encrypted = tls !== undefined;
  if (keepAlive !== undefined && !tlsOnly) {
    wraps.push((lowest) => (target, options, signal) => lowest(target, { ...options, keepAlive }, signal));
  }
  if (encrypted) wraps.push((lowest) => tlsAround(lowest, tls, tlsOnly ? "tcp" : network, runtime));
  if (!tlsOnly) {
    const { httpHeader, ws, httpUpgrade } = settings;
    if (network === "ws") wraps.push((lowest) => webSocketAround(lowest, ws!, encrypted));
    if (network === "httpupgrade") {
      wraps.push((lowest) => async (target, options, signal) => {
        const stream = await lowest(target, options, signal);
        return await openHttpUpgrade(stream, httpUpgrade!, { target, encrypted }, signal);
      });
    }
    if (httpHeader !== undefined) {
      wraps.push((lowest) => async (target, options, signal) =>
        withHttpHeader(await lowest(target, options, signal), httpHeader, randomBytes)
      );
    }
  }
  if (wraps.length === 0) return plainLayers;
  return {
    encrypts: encrypted,
    around: (lowest) => withinTime(lowest, (dial) => wraps.reduce((inner, wrap) => wrap(inner), dial)),
  };
}

/** The layers of an inbound, or null where its connections are as they come. */
export function inboundLayers(settings: TransportSettings, runtime: Runtime): InboundLayers | null {
  const { keepAlive, proxyProtocol, tls, network, ws, httpUpgrade } = settings;
  if (keepAlive === undefined && proxyProtocol === undefined && tls === undefined && network === "tcp") {
    return null;
  }
  const trusted = proxyProtocol === undefined ? null : parseNetworks(proxyProtocol.trusted);
  const takeTlsOff = tls === undefined ? null : tlsServer(tls, network, runtime);
  return {
    accept: (arrived, signal) =>
      abortable(arrived.stream, signal, async () => {
        if (keepAlive !== undefined) runtime.keepAlive(arrived.stream, keepAlive);
        let accepted = arrived;
        let first: Uint8Array | undefined;
        if (trusted !== null) ({ accepted, rest: first } = await readIntroduction(arrived, trusted));
        let { stream } = accepted;
        if (takeTlsOff !== null) {
          stream = await takeTlsOff(stream, first, signal);
          first = undefined;
        }
        if (network === "ws") stream = await acceptWebSocket(stream, ws!, first);
        else if (network === "httpupgrade") stream = await acceptHttpUpgrade(stream, httpUpgrade!, first);
        else stream = withFirst(stream, first);
        return { ...accepted, stream };
      }),
  };
}

function webSocketAround(lowest: Dial, settings: WebSocketSettings, encrypted: boolean): Dial {
  return async (target, options, signal) => {
    const open = async (early: Uint8Array, limit: AbortSignal) =>
      await openWebSocket(
        await lowest(target, options, limit),
        settings,
        { target, encrypted, early },
        limit,
      );
    if (settings.maxEarlyData === 0) return await open(new Uint8Array(), signal);
    signal.throwIfAborted();
    return new DelayedStream(settings.maxEarlyData, open);
  };
}

/** A dial that ends in time, with all of its layers' handshakes. */
function withinTime(lowest: Dial, wrap: (lowest: Dial) => Dial): Dial {
  const dial = wrap(lowest);
  return async (target, options, signal) => {
    const limit = limited(signal, HANDSHAKE);
    try {
      return await dial(target, options, limit.signal);
    } catch (error) {
      throw error instanceof MtrayError
        ? error
        : new MtrayError("unreachable", String(error), { cause: error });
    } finally {
      limit.done();
    }
  };
}
