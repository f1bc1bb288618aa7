import { codeOf, describe, MtrayError } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import type { MtprotoHeader, Session } from "../../session.ts";
import { cipherStream } from "../../stream/cipher_stream.ts";
import { limited } from "../../stream/limit.ts";
import type { ByteStream, Target } from "../../stream/types.ts";
import type { Connected, Outbound, OutboundContext } from "../types.ts";
import { addressesOf } from "./data_centres.ts";
import { DataCentreStream } from "./data_centre_stream.ts";
import { makeHeader } from "./header.ts";
import { isPrivate } from "./private_address.ts";
import type { MtprotoOutboundSettings } from "./settings.ts";

/** How long one address may take to answer a connection, in milliseconds. */
const ATTEMPT = 3_000;

/** Opens connections to Telegram's data centres. It alone knows the addresses that it dials. */
export class MtprotoOutbound implements Outbound {
  readonly tag: string;
  readonly protocol = "mtproto";
  readonly encrypts: boolean;
  readonly #context: OutboundContext;
  readonly #settings: MtprotoOutboundSettings;
  readonly #via: string[];
  /** Of every data centre that was asked for and has some: a few dozen at most. */
  readonly #addresses = new Map<number, Target[]>();

  constructor(context: OutboundContext, settings: MtprotoOutboundSettings) {
    this.tag = context.tag;
    this.encrypts = context.encrypts;
    this.#context = context;
    this.#settings = settings;
    this.#via = [...context.below, context.tag];
  }

  async connect(session: Session, signal: AbortSignal): Promise<Connected> {
    const client = session.mtproto;
    if (client === undefined) {
      throw new MtrayError(
        "unsupported",
        `cannot connect through ${this.tag}: it carries MTProto clients only`,
      );
    }
    const { crypto, random } = this.#context;
    const { stream, address } = await this.#open(client.dc, signal);
    const adopt = this.#adopts(session, client) ? client.offer : undefined;
    const header = makeHeader({ tag: client.tag, dc: client.dc, random, crypto, adopt });
    try {
      await stream.write(header.wire);
    } catch (error) {
      header.writing.close();
      stream.close(error);
      throw new MtrayError("unreachable", `cannot write to ${textOf(address)}: ${describe(error)}`, {
        cause: error,
      });
    }
    const reading = adopt === undefined ? crypto.aes256Ctr(header.downlink.key, header.downlink.iv) : null;
    return {
      stream: cipherStream(this.#watched(stream, address), { reading, writing: header.writing }),
      adopted: adopt !== undefined,
      via: this.#via,
    };
  }

  #addressesOf(dc: number): Target[] | null {
    const known = this.#addresses.get(dc);
    if (known !== undefined) return known;
    const { dataCenters, ip } = this.#settings;
    const found = addressesOf(dc, dataCenters, ip);
    if (found !== null) this.#addresses.set(dc, found);
    return found;
  }

  /** The first address that takes the connection. No byte of the client has been sent until then. */
  async #open(dc: number, signal: AbortSignal): Promise<{ stream: ByteStream; address: Target }> {
    const { preferences, dial, chained } = this.#context;
    const addresses = this.#addressesOf(dc);
    if (addresses === null) {
      throw new MtrayError(
        "unknown-data-centre",
        `cannot connect to data centre ${dc}: no address is known for it`,
      );
    }
    const failures: string[] = [];
    for (const address of preferences.order(addresses)) {
      signal.throwIfAborted();
      // A chain has time limits of its own, and its first connection may take a few round trips.
      const limit = chained ? null : limited(signal, ATTEMPT);
      try {
        // Alone: in a multiplexer one connection's lost packet would hold up everybody's messages.
        const stream = await dial(address, { alone: true }, limit?.signal ?? signal);
        if (!chained) preferences.worked(address);
        return { stream, address };
      } catch (error) {
        failures.push(describe(error));
        if (signal.aborted) {
          if (codeOf(signal.reason) !== "timed-out") throw signal.reason;
          // Which hop it was stands in the error, not in the signal's reason.
          break;
        }
        // Through a chain it may well be the hop that failed: that says nothing about the address.
        if (!chained) preferences.failed(address);
      } finally {
        limit?.done();
      }
    }
    // A hop that failed says the same for every address.
    const reasons = [...new Set(failures)].join("; ");
    throw new MtrayError("unreachable", `cannot connect to data centre ${dc}: ${reasons}`);
  }

  /**
   * Whether the data centre shall encrypt with the client's own key. Then the downlink passes as it is; but whoever
   * sees both links sees equal bytes, and the key stands readable in the header that we send.
   */
  #adopts(session: Session, client: MtprotoHeader): boolean {
    const { adoptDownlinkKey } = this.#settings;
    if (client.offer === undefined || adoptDownlinkKey === false) return false;
    return adoptDownlinkKey === true || this.encrypts || isPrivate(session.source.host);
  }

  #watched(stream: ByteStream, address: Target): ByteStream {
    const { chained, preferences } = this.#context;
    if (!chained) return stream;
    return new DataCentreStream(stream, (answered) => {
      if (answered) preferences.worked(address);
      else preferences.failed(address);
    });
  }
}
