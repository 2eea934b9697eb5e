import type { Host } from "./skin.js";

/** An instance of the module and the glue around it. */
export interface Instance {
  Core: new (options: object, host: Host & { judge: object }) => unknown;
  start(about: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** At once: no promise may lead to the instance. */
  startNow(about: { module: WebAssembly.Module }): unknown;
  /** What it has asked to be called does nothing from now on. */
  stop(): void;
}

/** What tools/glue.mjs makes of the glue that wasm-bindgen writes; there is no such file. */
export function instantiate(): Instance;
