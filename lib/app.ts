import type { Config, InboundConfig, OutboundConfig } from "./config/types.ts";
import { codeOf, describe, MtrayError } from "./errors.ts";
import { inboundKinds, outboundKinds } from "./proxy/registry.ts";
import { LayeredInbound } from "./proxy/layered.ts";
import type { HandlerContext, Inbound, InboundContext, Outbound, Policy } from "./proxy/types.ts";
import { createRouter, noPackets } from "./routing/router.ts";
import { textOf } from "./runtime/address.ts";
import type { Listener, Place } from "./runtime/types.ts";
import { childSession } from "./session.ts";
import type { Shared } from "./shared.ts";
import type { Dial, DialPackets } from "./stream/types.ts";
import { inboundLayers, outboundLayers } from "./transport/layers.ts";

/** How long `stop` lets writes go on that are under way, in milliseconds. */
const DRAIN = 3_000;

/** Connections that may be undecided at the same time, over all inbounds and routers. Each costs some kilobytes … */
const MOST_HANDSHAKES = 1024;
/** … and a descriptor, of which this part may be theirs: clients need the rest. */
const HANDSHAKE_SHARE = 0.5;

/** What was built, in words for `mtray test`. */
export interface Description {
  inbounds: { tag: string; protocol: string; listen: string }[];
  outbounds: { tag: string; protocol: string }[];
  /** Tags, first hop first. */
  chains: string[][];
}

/** A configuration at work. */
export interface App {
  /**
   * Binds every port. Rejects with code `start`, and then nothing stays bound.
   *
   * @param ports what the first of several routers has bound; absent, this is the first
   * @returns the ports, in the order of the config
   */
  start(ports?: readonly number[]): Promise<number[]>;
  /** Accepts no more, lets writes that are under way finish for up to three seconds, and ends everything. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  close(): void;
  describe(): Description;
  /** A dial through the outbound of that tag, or the system's: for what no inbound took in. */
  dial(outboundTag?: string): Dial;
}

/** Makes real objects of a checked configuration. Binds nothing, resolves nothing, connects nowhere. */
export function build(config: Config, shared: Shared): App {
  const handlers: HandlerContext = {
    events: shared.events,
    clock: shared.clock,
    random: shared.random,
    crypto: shared.crypto,
    digests: shared.digests,
    policy: (level) => policyOf(config, level),
  };
  const outbounds = new Outbounds(config.outbounds, shared, handlers);
  const fallback = outbounds.get(config.outbounds[0].tag);
  const router = createRouter(config.routing, outbounds.all, {
    fallback,
    random: shared.random,
    events: shared.events,
  });
  // Divided, for the system spreads connections evenly and a number that all routers count would slow down each.
  const handshakes = Math.min(MOST_HANDSHAKES, shared.runtime.mostSockets * HANDSHAKE_SHARE) / shared.routers;
  const inbounds = config.inbounds.map((inbound) => {
    const context: InboundContext = {
      ...handlers,
      tag: inbound.tag,
      router,
      lastSeen: shared.lastSeen,
      warnings: shared.warnings,
      nextSessionId: shared.nextSessionId,
      mostHandshakes: Math.max(1, Math.floor(handshakes / config.inbounds.length)),
      dial: (tag) => outbounds.dialOf(tag),
      openPackets: shared.runtime.openPackets,
      sniffing: inbound.sniffing,
    };
    const handler = inboundKinds[inbound.protocol].create(context, inbound.settings as never);
    const layers = inboundLayers(inbound.transport, shared.runtime);
    return {
      config: inbound,
      handler: layers === null ? handler : new LayeredInbound(handler, layers, context),
    };
  });
  return new RunningApp(inbounds, outbounds, shared);
}

function policyOf(config: Config, level: number): Policy {
  return config.policies.get(level) ?? config.policies.get(0)!;
}

/** Outbounds by tag. One that is chained to another is built after it. */
class Outbounds {
  readonly all = new Map<string, Outbound>();
  /** Tags that carry an outbound, and its own: first hop first. */
  readonly chains = new Map<string, string[]>();
  readonly #configs: Map<string, OutboundConfig>;
  readonly #shared: Shared;
  readonly #handlers: HandlerContext;

  constructor(configs: OutboundConfig[], shared: Shared, handlers: HandlerContext) {
    this.#configs = new Map(configs.map((config) => [config.tag, config]));
    this.#shared = shared;
    this.#handlers = handlers;
    for (const { tag } of configs) this.get(tag);
  }

  /** As the config lists them; built they were hops first. */
  get inOrder(): Outbound[] {
    return [...this.#configs.keys()].map((tag) => this.get(tag));
  }

  get(tag: string): Outbound {
    return this.all.get(tag) ?? this.#build(tag);
  }

  /** A dial through an outbound, or the system's, for what is not a session: fronting. */
  dialOf(tag?: string): Dial {
    return tag === undefined ? this.#shared.runtime.dial : through(this.get(tag));
  }

  #build(tag: string): Outbound {
    const config = this.#configs.get(tag);
    // The configuration was checked for this: it is not the place to find out.
    if (config === undefined) throw new MtrayError("config", `there is no outbound ${tag}`);
    const hop = config.proxyTag === undefined ? undefined : this.get(config.proxyTag);
    const below = config.proxyTag === undefined ? [] : this.chains.get(config.proxyTag)!;
    const layers = outboundLayers(
      config.transport,
      this.#shared.runtime,
      hop !== undefined && !config.transportLayer,
    );
    const outbound = outboundKinds[config.protocol].create({
      ...this.#handlers,
      tag,
      preferences: this.#shared.preferences,
      dial: layers.around(hop === undefined ? this.#shared.runtime.dial : through(hop)),
      encrypts: layers.encrypts || hop?.encrypts === true,
      chained: hop !== undefined,
      below,
      dialPackets: hop === undefined ? this.#shared.runtime.dialPackets : packetsThrough(hop),
      warnings: this.#shared.warnings,
      mux: config.mux,
    }, config.settings as never);
    this.all.set(tag, outbound);
    this.chains.set(tag, [...below, tag]);
    return outbound;
  }
}

/** The dial of an outbound that carries others. */
function through(hop: Outbound): Dial {
  return async (target, options, signal) => {
    try {
      return (await hop.connect(childSession(target, "tcp", options.alone), signal)).stream;
    } catch (error) {
      throw hopFailed(hop, error);
    }
  };
}

function packetsThrough(hop: Outbound): DialPackets {
  return async (target, signal) => {
    if (hop.openPackets === undefined) throw noPackets(hop);
    try {
      return (await hop.openPackets(childSession(target, "udp"), signal)).packets;
    } catch (error) {
      throw hopFailed(hop, error);
    }
  };
}

/** Says which hop of a chain it was. */
function hopFailed({ tag }: Outbound, error: unknown): MtrayError {
  return new MtrayError(codeOf(error), `cannot go through ${tag}: ${describe(error)}`, { cause: error });
}

interface RunningInbound {
  config: InboundConfig;
  handler: Inbound;
}

interface Listening {
  listener: Pick<Listener, "address" | "close">;
  inboundTag: string;
  /** Of several routers. Only that one speaks of its ports: they are the same ones. */
  isFirst: boolean;
}

class RunningApp implements App {
  readonly #inbounds: RunningInbound[];
  readonly #outbounds: Outbounds;
  readonly #shared: Shared;
  readonly #listeners: Listening[] = [];
  readonly #connections = new Set<Promise<void>>();

  constructor(inbounds: RunningInbound[], outbounds: Outbounds, shared: Shared) {
    this.#inbounds = inbounds;
    this.#outbounds = outbounds;
    this.#shared = shared;
  }

  async start(ports?: readonly number[]): Promise<number[]> {
    const share = this.#shared.routers === 1 ? undefined : ports === undefined ? "first" : "next";
    const bound: number[] = [];
    try {
      for (const { config, handler } of this.#inbounds) {
        for (const port of config.ports) {
          const at = { host: config.listen, port: ports?.[bound.length] ?? port, share } as const;
          bound.push(await this.#listen(config, handler, at));
        }
      }
      return bound;
    } catch (error) {
      this.#stopListening();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopListening();
    for (const { handler } of this.#inbounds) handler.stop();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, DRAIN));
    await Promise.race([Promise.all(this.#connections), late]);
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    this.#stopListening();
    for (const { handler } of this.#inbounds) handler.close();
    for (const outbound of this.#outbounds.all.values()) outbound.close?.();
  }

  describe(): Description {
    return {
      inbounds: this.#inbounds.map(({ config }) => ({
        tag: config.tag,
        protocol: config.protocol,
        listen: config.ports.map((port) => textOf({ host: config.listen, port })).join(", "),
      })),
      outbounds: this.#outbounds.inOrder.map(({ tag, protocol }) => ({ tag, protocol })),
      chains: this.#outbounds.inOrder.map(({ tag }) => this.#outbounds.chains.get(tag)!)
        .filter((chain) => chain.length > 1),
    };
  }

  dial(outboundTag?: string): Dial {
    return this.#outbounds.dialOf(outboundTag);
  }

  /** @returns the port */
  async #listen({ tag, protocol }: InboundConfig, handler: Inbound, at: Place): Promise<number> {
    const { runtime, events } = this.#shared;
    const isFirst = at.share !== "next";
    let { port } = at;
    const listening = (listener: Pick<Listener, "address" | "close">) => {
      port = listener.address.port;
      this.#listeners.push({ listener, inboundTag: tag, isFirst });
      if (isFirst) {
        events.emit({ kind: "listening", inboundTag: tag, protocol, address: textOf(listener.address) });
      }
    };
    try {
      if (handler.acceptsStreams !== false) {
        listening(await runtime.listen(at, (accepted) => this.#follow(handler.accept(accepted))));
      }
      // Where UDP cannot be shared the first router takes all of it.
      if (handler.acceptPackets !== undefined && (isFirst || runtime.sharesPackets)) {
        const packets = await runtime.openPackets({ ...at, port });
        listening(packets);
        this.#follow(handler.acceptPackets(packets));
      }
      return port;
    } catch (error) {
      throw new MtrayError("start", `cannot start inbound ${tag}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #follow(connection: Promise<void>): void {
    this.#connections.add(connection);
    connection.then(() => this.#connections.delete(connection));
  }

  #stopListening(): void {
    for (const { listener, inboundTag, isFirst } of this.#listeners.splice(0)) {
      listener.close();
      if (!isFirst) continue;
      this.#shared.events.emit({ kind: "stopped-listening", inboundTag, address: textOf(listener.address) });
    }
  }
}
