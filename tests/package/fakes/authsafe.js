// Stands where the glue of the WebAssembly module stands, for faults that the real core does not produce on demand.
// A test writes the script: `globalThis.scriptedCore` makes each core, `globalThis.scriptedModules` lists what was compiled.

export class Core {
  constructor(options, host) {
    return globalThis.scriptedCore(options, host);
  }
}

export default async function init({ module_or_path }) {
  globalThis.scriptedModules.push(module_or_path);
}
