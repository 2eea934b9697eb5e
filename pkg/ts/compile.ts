/** From where the wasm comes to a compiled module, and what a person is told where that fails. */
import type { CoreSource, LoadFault } from "./skin.js";

export const NOT_OURS = "It cannot be instantiated; is it of this version?";

export async function compile(
  { given, address }: CoreSource,
  streamed?: (url: string) => void,
): Promise<WebAssembly.Module> {
  if (given instanceof WebAssembly.Module) return given;
  let found = address === undefined ? "The source:" : bare(address);
  try {
    if (given instanceof ArrayBuffer || ArrayBuffer.isView(given)) return await WebAssembly.compile(given);
    // A copy, so that a response which the application gave once serves a second attempt too.
    const response =
      address === undefined
        ? (await given).clone()
        : await Promise.resolve(given).catch((cause: Error) => explain(address, cause));
    const { ok, status, url } = response;
    const type = response.headers.get("content-type") ?? "no content type";
    found = `${bare(url) || found} answered ${status} with ${type}.`;
    if (!ok) throw new Error(response.statusText);
    // Browsers compile while downloading only where the type is exactly this.
    if (type.toLowerCase() !== "application/wasm") return await WebAssembly.compile(await response.arrayBuffer());
    if (url) streamed?.(url);
    return await WebAssembly.compileStreaming(response);
  } catch (cause) {
    throw fault(cause, found);
  }
}

/** Of a file with another digest, the browser says no more than that it failed. A second look tells; nothing of it is run. */
async function explain(address: string, cause: Error): Promise<never> {
  const { status, headers, body } = await fetch(address);
  body?.cancel().catch(() => {});
  const type = headers.get("content-type") ?? "no content type";
  throw new Error(`is not the file of this version; asked again, the server answered ${status} with ${type}.`, {
    cause,
  });
}

/** An address without its query, which may hold the signature of a private one. */
function bare(url: string): string {
  return url.replace(/[?#].*/, "");
}

/** Browsers word a refusal by CSP each in their own way; what they throw is a CompileError, or an EvalError. */
export function fault(cause: unknown, found: string): LoadFault {
  const { name, message = String(cause) }: Partial<Error> = Object(cause);
  const refused = name !== "TypeError" && /Content.Security.Policy|\bCSP\b|unsafe-eval/i.test(message);
  return refused
    ? { code: "wasm_blocked_by_csp", detail: "", cause }
    : { code: "wasm_load_failed", detail: `${found} ${message}`.trim(), cause };
}
