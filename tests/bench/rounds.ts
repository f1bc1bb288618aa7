import type { Case, Workplace } from "./case.ts";
import type { Relay } from "./relays.ts";
import type { Runs } from "./table.ts";

export interface Plan {
  cases: readonly Case[];
  relays: readonly Relay[];
  rounds: number;
  workplace: Workplace;
}

export interface Progress {
  /** A run begins. */
  run(text: string): void;
  /** So many rounds are over. */
  round(done: number): void;
}

/** A relay that failed so often at a case is not asked again: each time may have taken a minute. */
const PATIENCE = 2;

/** What has been found, growing as the rounds go on. */
export class Rounds {
  /** With the seconds that each case has taken, all its runs together. */
  readonly results: { of: Case; runs: Runs; seconds: number }[];
  readonly #failures = new Map<string, string[]>();

  constructor(readonly plan: Plan) {
    this.results = plan.cases.map((of) => ({ of, runs: new Map(), seconds: 0 }));
  }

  /** Each names the case and the relay, says how often it failed and why. */
  get failures(): string[] {
    return [...this.#failures].map(([what, reasons]) => {
      const times = reasons.length > 1 ? ` (${reasons.length} times)` : "";
      return `${what}${times}: ${[...new Set(reasons)].join("; ")}`;
    });
  }

  /** Round after round, in each every case, and for each case every relay: what disturbs one disturbs all. */
  async run(progress: Progress): Promise<void> {
    const { relays, rounds } = this.plan;
    for (let round = 1; round <= rounds; round++) {
      for (const result of this.results) {
        const { of, runs } = result;
        const started = performance.now();
        for (const relay of relays.filter((candidate) => this.#takesPart(candidate, of))) {
          progress.run(`round ${round} of ${rounds}: ${of.name}: ${relay.name}`);
          await this.#measure(of, relay, runs);
        }
        result.seconds += (performance.now() - started) / 1000;
      }
      progress.round(round);
    }
  }

  #takesPart(relay: Relay, of: Case): boolean {
    const { quick } = this.plan.workplace;
    const known = this.#failures.get(pairName(of, relay))?.length ?? 0;
    return of.fits(relay) && known < PATIENCE && (!quick || !relay.withoutLibcrypto || of.encrypts === true);
  }

  async #measure(of: Case, relay: Relay, runs: Runs): Promise<void> {
    try {
      const figures = await of.measure(relay, this.plan.workplace);
      runs.set(relay.name, [...runs.get(relay.name) ?? [], figures]);
    } catch (error) {
      const what = pairName(of, relay);
      const why = error instanceof Error ? error.message : String(error);
      this.#failures.set(what, [...this.#failures.get(what) ?? [], why]);
    }
  }
}

function pairName(of: Case, relay: Relay): string {
  return `${of.name}: ${relay.name}`;
}
