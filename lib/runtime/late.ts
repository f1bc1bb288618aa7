/**
 * A built-in module that is loaded when it is first used. With `import` it would be loaded at start, needed or not: on
 * Deno the first module of Node's brings a copy of Node's world with it, which is 7 MB and 8 ms, and node:crypto,
 * node:net or node:tls 3 MB more.
 *
 * @param name as an import has it: "node:tls"
 */
export function late<Module>(name: string): () => Module {
  let module: Module | undefined;
  return () => module ??= load(name) as Module;
}

function load(name: string): unknown {
  // Both runtimes have Node's `process` as a global, too, and Deno makes it when it is asked for.
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } };
  return process.getBuiltinModule(name);
}
