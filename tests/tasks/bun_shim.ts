/**
 * Loaded by `bun test` before the bundled tests: as much of Deno.test as they use, on Bun's own runner. It gives
 * `Deno` one member only, and code that asks for Bun first is not misled.
 */

interface Context {
  name: string;
  step(name: string | Step, body?: Body): Promise<boolean>;
}
type Body = (context: Context) => void | Promise<void>;
interface Step {
  name: string;
  fn: Body;
  ignore?: boolean;
}
interface BunTest {
  test: {
    (name: string, body: () => Promise<void>, timeout: number): void;
    skip(name: string, body: () => void): void;
  };
}

/** Milliseconds; Deno has no limit of its own, Bun's default of five seconds is too short for some contracts. */
const LIMIT = 60_000;

// Under another name, so that Deno, which checks this file's types, does not look for Bun's module.
const bunTest: string = "bun:test";
const { test }: BunTest = await import(bunTest);

function define(nameOrTest: string | Step, bodyOrOptions?: Body | Partial<Step>, last?: Body): void {
  const given = typeof nameOrTest === "string" ? { name: nameOrTest } : nameOrTest;
  const options = typeof bodyOrOptions === "object" ? bodyOrOptions : {};
  const body = typeof bodyOrOptions === "function" ? bodyOrOptions : last;
  const { name, fn, ignore }: Partial<Step> = { ...options, ...(body ? { fn: body } : {}), ...given };
  if (name === undefined || fn === undefined) {
    throw new TypeError("cannot run a test: this form is not known");
  }
  if (ignore) test.skip(name, () => {});
  else test(name, async () => await fn(contextOf(name)), LIMIT);
}

function contextOf(name: string): Context {
  return {
    name,
    async step(nameOrStep, body) {
      const step = typeof nameOrStep === "string" ? { name: nameOrStep, fn: body } : nameOrStep;
      if (step.fn === undefined) throw new TypeError(`cannot run the step "${step.name}": it has no body`);
      if (!("ignore" in step && step.ignore)) await step.fn(contextOf(`${name} > ${step.name}`));
      return true;
    },
  };
}

Object.assign(globalThis, {
  Deno: {
    test: Object.assign(define, {
      ignore: (name: string, fn: Body) => define({ name, fn, ignore: true }),
    }),
  },
});
