import type { Workplace } from "./case.ts";
import { HELPER_PORT, PORT } from "./configs.ts";
import { Load } from "./load.ts";
import { RunningProgram } from "./program.ts";
import type { Relay } from "./relays.ts";
import { type SecretKind, SECRETS } from "./secret.ts";
import type { Json } from "../v2ray/config.ts";

/** What stands around the load generator in a run. */
export interface Scene {
  /** Of the relay. */
  config: Json;
  /** What the relay's clients know, for relays that read no config; classic unless it is said. */
  secret?: SecretKind;
  /** Of a v2ray that stands beside the relay and is not measured. */
  helper?: Json;
  /** Clients connect to it, and it connects to the relay. */
  helperInFront?: boolean;
  /** How each client begins. */
  clients: readonly string[];
  /** What is going to be moved. */
  bytes?: number;
}

/**
 * Starts everything that a run needs, hands it over and ends it again.
 *
 * @throws {Error} with what the relay has said, when anything fails
 */
export async function withScene<T>(
  relay: Relay,
  scene: Scene,
  { load: generator, v2ray }: Workplace,
  body: (load: Load, running: RunningProgram) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  if (scene.helper !== undefined) {
    if (v2ray === null) throw new Error("cannot run it: there is no v2ray to stand beside the relay");
    const helper = { name: "the v2ray beside the relay", command: [v2ray, "-config", "{config}"] };
    stack.use(await RunningProgram.start(helper, { config: scene.helper, port: HELPER_PORT }));
  }
  const setup = { config: scene.config, port: PORT, secret: SECRETS[scene.secret ?? "classic"] };
  const running = stack.use(await RunningProgram.start(relay, setup));
  try {
    const load = stack.use(new Load(generator, scene.helperInFront ? HELPER_PORT : PORT, scene.bytes));
    load.order(running.pids.map((pid) => `process ${pid}`));
    load.order(scene.clients.map((steps) => `client ${steps}`));
    return await body(load, running);
  } catch (error) {
    const said = running.output;
    throw new Error(`${error instanceof Error ? error.message : error}${said && `; it said: ${said}`}`);
  }
}
