/** A running mtray among the peers: stub data centres behind it, and a site that no client may ever see. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { hex, random } from "../telegram/bytes.ts";
import { DataCentre } from "../telegram/data_centre.ts";
import { Mtray, type UserLinks } from "../telegram/mtray_process.ts";
import type { SecretKind } from "../telegram/proxy_link.ts";
import { Site } from "../telegram/site.ts";

export const KINDS: readonly SecretKind[] = ["classic", "dd", "ee"];
export const DOMAIN = "www.example.org";

/** A fresh secret as the config takes it. */
export function newSecret(kind: SecretKind): string {
  const secret = hex(random(16));
  if (kind === "classic") return secret;
  return kind === "dd" ? `dd${secret}` : `ee${secret}${hex(new TextEncoder().encode(DOMAIN))}`;
}

export interface GatewayPlan {
  /** One user of each kind, all on one port. */
  kinds: readonly SecretKind[];
  centres: Readonly<Record<string, DataCentre>>;
  /** More settings of the outbound. */
  outbound?: Readonly<Record<string, unknown>>;
}

export interface Gateway {
  mtray: Mtray;
  /** As `mtray link` printed them. */
  links(kind: SecretKind): UserLinks;
}

/**
 * Starts mtray with that plan and hands it to the body. Afterwards everything is stopped, and these must hold: no
 * client was shown the site, no data centre got what it could not read, and mtray ended with 0.
 */
export async function withGateway(
  plan: GatewayPlan,
  body: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const site = await Site.start();
  let mtray: Mtray | undefined;
  try {
    mtray = await Mtray.startGateway({
      users: plan.kinds.map((kind) => ({ secret: newSecret(kind), email: `${kind}@test` })),
      dataCenters: Object.fromEntries(
        Object.entries(plan.centres).map(([id, centre]) => [id, [centre.address]]),
      ),
      inbound: plan.kinds.includes("ee") ? { fallbacks: [{ name: DOMAIN, dest: site.address }] } : {},
      outbound: plan.outbound,
    });
    const printed = await mtray.links();
    const links = (kind: SecretKind): UserLinks => {
      const user = printed.find(({ email }) => email === `${kind}@test`);
      if (!user) throw new Error(`cannot find the ${kind} user's link in the output of mtray link`);
      return user;
    };
    await body({ mtray, links });
    assertEquals(site.visits.length, 0, "a client was shown the site");
    const { code, stderr } = await mtray.stop();
    assertEquals(code, 0, `mtray did not stop as asked: ${stderr}`);
  } catch (error) {
    const output = await mtray?.stop();
    if (output) console.error(`mtray said:\n${output.stdout}${output.stderr}`);
    throw error;
  } finally {
    await Promise.all(Object.values(plan.centres).map((centre) => centre.close()));
    await site.close();
  }
}

/** Does the same for each item, some at a time, and names the item that it failed for. */
export async function forEach<T>(
  items: readonly T[],
  body: (item: T) => Promise<void>,
  width = 12,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  await Promise.all(Array.from({ length: width }, async () => {
    for (const item of rest) {
      await body(item).catch((error) => {
        throw new Error(`with ${JSON.stringify(item)}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      });
    }
  }));
}
