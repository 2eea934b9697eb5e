import { own } from "./error.js";
import type { CoreSource, CreateCore, LoadFault } from "./skin.js";
import type { WasmSource } from "./types.js";

/** The digest of the wasm that this script was built with, as Subresource Integrity §3.3 writes it. */
declare const WASM_INTEGRITY: string;

/** Longer than a slow line needs; without a limit, a call could wait for ever. */
const LIMIT_SECONDS = 60;

let wasmSource: WasmSource | undefined;
let pending: Promise<CreateCore> | undefined;

/**
 * Where the wasm comes from, for hosts that cannot serve it beside the script: an address, a response or the promise of one,
 * the bytes, or a compiled module. What comes from an address must be the file of this version, byte for byte; what is given
 * otherwise is taken as it is. To be called before the first use of a client; after the core has been loaded it
 * changes nothing.
 */
export function setWasmSource(source: WasmSource): void {
  wasmSource = source;
  // A promise that fails is reported to whoever needs the core, and not as unhandled before that.
  Promise.resolve(source).catch(() => {});
}

/**
 * Loads and compiles the core, once for all clients of the page. After a failure, the next call tries again.
 *
 * @internal
 */
export function load(): Promise<CreateCore> {
  return (pending ??= attempt().catch(({ code, detail, cause }: LoadFault) => {
    pending = undefined;
    throw own(code, detail, cause);
  }));
}

async function attempt(): Promise<CreateCore> {
  if (!globalThis.isSecureContext) {
    const detail = "isSecureContext" in globalThis ? "" : "There is no page here; call this in a browser.";
    throw { ...fault(detail), code: "insecure_context" };
  }
  let timer;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fault(`It did not arrive within ${LIMIT_SECONDS} s.`)), LIMIT_SECONDS * 1000);
  });
  try {
    // Both are asked for at once, as neither can do without the other.
    const source = request(wasmSource ?? new URL("../wasm/authsafe_bg.wasm", import.meta.url));
    // Browsers older than the HTML standard of 2026 repeat a failure of this import until the page is reloaded.
    const core = import("./core.js").catch((cause: Error) => Promise.reject(fault(cause.message, cause)));
    return await Promise.race([core.then(({ start }) => start(source)), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function request(given: WasmSource): CoreSource {
  if (typeof given !== "string" && !(given instanceof URL)) return { given };
  const response = fetch(given, { integrity: WASM_INTEGRITY }).catch((cause) => explain(given, cause));
  // Who compiles it reports the failure; until then it is not an unhandled one.
  response.catch(() => {});
  return { given: response, address: String(given) };
}

/** Of a file with another digest, the browser says no more than that it failed. A second look tells; nothing of it is run. */
async function explain(address: string | URL, cause: Error): Promise<never> {
  const { status, headers, body } = await fetch(address);
  body?.cancel().catch(() => {});
  const type = headers.get("content-type") ?? "no content type";
  throw new Error(`is not the file of this version; asked again, the server answered ${status} with ${type}.`, {
    cause,
  });
}

function fault(detail: string, cause?: unknown): LoadFault {
  return { code: "wasm_load_failed", detail, cause };
}
