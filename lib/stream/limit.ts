import { MtrayError } from "../errors.ts";

/** A signal with an end. */
export interface Limit {
  readonly signal: AbortSignal;
  /** Call it when what was limited is over. */
  done(): void;
}

/**
 * Fires with the outer signal, or with `timed-out` after a time. Unlike a combination of `AbortSignal.any` and
 * `AbortSignal.timeout` it leaves nothing behind on an outer signal that lives as long as the program.
 */
export function limited(outer: AbortSignal, milliseconds: number): Limit {
  const controller = new AbortController();
  const passOn = () => controller.abort(outer.reason);
  const timer = setTimeout(
    () => controller.abort(new MtrayError("timed-out", `no answer within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  if (outer.aborted) passOn();
  else outer.addEventListener("abort", passOn);
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", passOn);
    },
  };
}
