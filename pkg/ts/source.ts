/** Where the wasm comes from. Both the page and the worker fetch it by this. */
import type { CoreSource, LoadFault } from "./skin.js";

/** The digest of the wasm that this script was built with, as Subresource Integrity §3.3 writes it. */
declare const WASM_INTEGRITY: string;

/** Names the build: scripts of different versions do not understand each other. */
export const BUILD = WASM_INTEGRITY;

/** Asks for the wasm at once. A file with another digest is not run. */
export function request(address: string): CoreSource {
  const response = fetch(address, { integrity: BUILD });
  // Who compiles it reports the failure; until then it is not an unhandled one.
  response.catch(() => {});
  return { given: response, address };
}

export function fault(detail: string, cause?: unknown): LoadFault {
  return { code: "wasm_load_failed", detail, cause };
}
