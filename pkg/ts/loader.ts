import { own } from "./error.js";
import type { CoreSource, CreateCore, LoadFault } from "./skin.js";
import { fault, request } from "./source.js";
import type { WasmSource } from "./types.js";

/**
 * Longer than a slow line needs; without a limit, a call could wait for ever.
 *
 * @internal
 */
export const LIMIT_SECONDS = 60;

let wasmSource: WasmSource | undefined;
let jwtSource: string | URL | undefined;
let pending: Promise<CreateCore> | undefined;

/**
 * Where the wasm comes from, for hosts that cannot serve it beside the script: an address, a response or the promise of one,
 * the bytes, or a compiled module. What comes from an address must be the file of this version, byte for byte; what is given
 * otherwise is taken as it is. `jwt` is the address of the second wasm, `authsafe_jwt_bg.wasm`, which is loaded when an ID token
 * has to be verified; it must be of this version, too. To be called before the first use of a client; after the core has been
 * loaded it changes nothing.
 */
export function setWasmSource(source: WasmSource, jwt?: string | URL): void {
  wasmSource = source;
  jwtSource = jwt;
  // A promise that fails is reported to whoever needs the core, and not as unhandled before that.
  Promise.resolve(source).catch(() => {});
}

let workerSource: string | URL | undefined;

/**
 * Where `worker.js` comes from, for hosts that cannot serve it beside the script. It must be the file of this version, on the
 * origin of the page; a worker is never made from a `blob:` or `data:` address. To be called before the first use of a client.
 */
export function setWorkerSource(source: string | URL): void {
  workerSource = source;
}

/**
 * What the application set, or the file beside this script.
 *
 * @internal
 */
export function workerGiven(): string | URL {
  return workerSource ?? new URL("./worker.js", import.meta.url);
}

/**
 * Loads and compiles the core, once for all clients of the page. After a failure, the next call tries again.
 *
 * @internal
 */
export function load(): Promise<CreateCore> {
  needSecureContext();
  return (pending ??= attempt().catch(({ code, detail, cause }: LoadFault) => {
    pending = undefined;
    throw own(code, detail, cause);
  }));
}

/** @internal */
export function needSecureContext(): void {
  if (globalThis.isSecureContext) return;
  throw own(
    "insecure_context",
    "isSecureContext" in globalThis ? "" : "There is no page here; call this in a browser.",
  );
}

async function attempt(): Promise<CreateCore> {
  let timer;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fault(`It did not arrive within ${LIMIT_SECONDS} s.`)), LIMIT_SECONDS * 1000);
  });
  try {
    // Both are asked for at once, as neither can do without the other.
    const given = wasmGiven();
    const address = addressOf(given);
    const source: CoreSource = address === undefined ? { given: given as CoreSource["given"] } : request(address);
    // Browsers older than the HTML standard of 2026 repeat a failure of this import until the page is reloaded.
    const core = import("./core.js").catch((cause: Error) => Promise.reject(fault(cause.message, cause)));
    return await Promise.race([core.then(({ start }) => start(source, jwtGiven())), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What the application set, or the file beside this script.
 *
 * @internal
 */
export function wasmGiven(): WasmSource {
  return wasmSource ?? new URL("../wasm/authsafe_bg.wasm", import.meta.url);
}

/**
 * The address of the second wasm.
 *
 * @internal
 */
export function jwtGiven(): string | URL {
  return jwtSource ?? new URL("../wasm/authsafe_jwt_bg.wasm", import.meta.url);
}

/**
 * The address, where the wasm is to be fetched from one.
 *
 * @internal
 */
export function addressOf(given: WasmSource): string | undefined {
  return typeof given === "string" || given instanceof URL ? String(given) : undefined;
}
