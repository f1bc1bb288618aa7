/** Ports for programs that bind them themselves. */

/**
 * Who listens at this address, on the port and so much more, has the port for the tests. It is in nobody's way there,
 * not even in that of a program that takes the port at every address.
 */
const CLAIM = { hostname: "127.0.0.77", above: 40_000 };

/** Below what systems give to outgoing connections, and below what tests/telegram/mtray_process.ts hands out. */
const LOWEST = 10_000, HIGHEST = 19_999;

/**
 * Hands out ports that nobody uses. Until the object is disposed of, no other process that asks the same way gets
 * them, although the program that they are for binds them only later.
 */
export class Ports {
  readonly #claims: Deno.Listener[] = [];

  /** A port on which nobody listens, and that is nobody else's. */
  take(): number {
    for (let tries = 0; tries < 1000; tries++) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
      const claim = tryListen(CLAIM.hostname, port + CLAIM.above);
      if (claim === "taken") continue;
      const probe = tryListen("0.0.0.0", port);
      if (probe instanceof Object) {
        probe.close();
        if (claim instanceof Object) this.#claims.push(claim);
        return port;
      }
      if (claim instanceof Object) claim.close();
    }
    throw new Error("cannot find a free port: none of 1000 was");
  }

  [Symbol.dispose](): void {
    for (const claim of this.#claims.splice(0)) claim.close();
  }
}

function tryListen(hostname: string, port: number): Deno.Listener | "taken" | "no address" {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return "taken";
    // Systems other than Linux give the interface one address.
    if (error instanceof Deno.errors.AddrNotAvailable) return "no address";
    throw error;
  }
}
