// Stands where the glue of the WebAssembly module stands, for faults that the real core does not produce on demand.
// A test writes the script: `globalThis.scriptedCore` makes each core, `globalThis.scriptedModules` lists what was compiled.

class Core {
  constructor(options, host) {
    return globalThis.scriptedCore(options, host);
  }
}

export function instantiate() {
  const keep = (module) => void globalThis.scriptedModules.push(module);
  return {
    Core,
    start: async ({ module_or_path }) => keep(module_or_path),
    startNow: ({ module }) => keep(module),
    stop() {},
  };
}
