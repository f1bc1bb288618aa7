import type { Config, InboundConfig, OutboundConfig } from "./config/types.ts";
import { MtrayError } from "./errors.ts";
import { inboundKinds, outboundKinds } from "./proxy/registry.ts";
import type { HandlerContext, Inbound, Outbound, Policy } from "./proxy/types.ts";
import { createRouter } from "./routing/router.ts";
import { textOf } from "./runtime/address.ts";
import type { Listener } from "./runtime/types.ts";
import { childSession } from "./session.ts";
import type { Shared } from "./shared.ts";
import type { Accepted, Dial } from "./stream/types.ts";
import { plainLayers } from "./transport/layers.ts";

/** How long `stop` lets writes go on that are under way, in milliseconds. */
const DRAIN = 3_000;

/** Connections that may be undecided at the same time, over all inbounds. Each costs some kilobytes … */
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
  /** Binds every port. Rejects with code `start`, and then nothing stays bound. */
  start(): Promise<void>;
  /** Accepts no more, lets writes that are under way finish for up to three seconds, and ends everything. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  close(): void;
  describe(): Description;
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
  const router = createRouter(config.routing, outbounds.all, outbounds.get(config.outbounds[0].tag));
  const handshakes = Math.min(MOST_HANDSHAKES, shared.runtime.mostSockets * HANDSHAKE_SHARE);
  const inbounds = config.inbounds.map((inbound) => ({
    config: inbound,
    handler: inboundKinds[inbound.protocol].create({
      ...handlers,
      tag: inbound.tag,
      router,
      lastSeen: shared.lastSeen,
      warnings: shared.warnings,
      nextSessionId: shared.nextSessionId,
      mostHandshakes: Math.max(1, Math.floor(handshakes / config.inbounds.length)),
      dial: (tag) => tag === undefined ? shared.runtime.dial : outbounds.dialOf(tag),
    }, inbound.settings as never),
  }));
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

  /** A dial through an outbound, for what is not a session: fronting. */
  dialOf(tag: string): Dial {
    const outbound = this.get(tag);
    return async (target, _options, signal) => (await outbound.connect(childSession(target), signal)).stream;
  }

  #build(tag: string): Outbound {
    const config = this.#configs.get(tag);
    // The configuration was checked for this: it is not the place to find out.
    if (config === undefined) throw new MtrayError("config", `there is no outbound ${tag}`);
    const hop = config.proxyTag === undefined ? undefined : this.get(config.proxyTag);
    const below = config.proxyTag === undefined ? [] : this.chains.get(config.proxyTag)!;
    const lowest: Dial = hop === undefined
      ? this.#shared.runtime.dial
      : async (target, _options, signal) => (await hop.connect(childSession(target), signal)).stream;
    const outbound = outboundKinds[config.protocol].create({
      ...this.#handlers,
      tag,
      preferences: this.#shared.preferences,
      dial: plainLayers.around(lowest),
      encrypts: plainLayers.encrypts || hop?.encrypts === true,
      chained: hop !== undefined,
      below,
    }, config.settings as never);
    this.all.set(tag, outbound);
    this.chains.set(tag, [...below, tag]);
    return outbound;
  }
}

interface RunningInbound {
  config: InboundConfig;
  handler: Inbound;
}

class RunningApp implements App {
  readonly #inbounds: RunningInbound[];
  readonly #outbounds: Outbounds;
  readonly #shared: Shared;
  readonly #listeners: { listener: Listener; inboundTag: string }[] = [];
  readonly #connections = new Set<Promise<void>>();

  constructor(inbounds: RunningInbound[], outbounds: Outbounds, shared: Shared) {
    this.#inbounds = inbounds;
    this.#outbounds = outbounds;
    this.#shared = shared;
  }

  async start(): Promise<void> {
    const { runtime, events } = this.#shared;
    try {
      for (const { config, handler } of this.#inbounds) {
        for (const port of config.ports) {
          const at = { host: config.listen, port };
          const listener = await runtime.listen(at, (accepted) => this.#accept(handler, accepted)).catch(
            (error) => {
              throw new MtrayError(
                "start",
                `cannot start inbound ${config.tag}: ${(error as Error).message}`,
                { cause: error },
              );
            },
          );
          this.#listeners.push({ listener, inboundTag: config.tag });
          const address = textOf(listener.address);
          events.emit({ kind: "listening", inboundTag: config.tag, protocol: config.protocol, address });
        }
      }
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

  #accept(handler: Inbound, accepted: Accepted): void {
    const connection = handler.accept(accepted);
    this.#connections.add(connection);
    connection.finally(() => this.#connections.delete(connection));
  }

  #stopListening(): void {
    for (const { listener, inboundTag } of this.#listeners.splice(0)) {
      listener.close();
      this.#shared.events.emit({ kind: "stopped-listening", inboundTag, address: textOf(listener.address) });
    }
  }
}
