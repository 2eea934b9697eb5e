/**
 * The entry of `dist/core.js`: compiles the wasm and hands out cores, and nothing else. The instance, its memory and the
 * glue's exports stay in this module, where script of the page cannot reach them.
 */
import init, { Core as WasmCore } from "../wasm/authsafe.js";
import { abortable } from "./abortable.js";
import { type Gate, send } from "./fetch.js";
import { granted } from "./grant.js";
import type { Core, CoreSource, CreateCore, LoadFault } from "./skin.js";

// What the stack of a fault in this module names: the address that it was streamed from, or this script, which compiled it.
let mark = import.meta.url;

let running = false;

/** Compiles `source`, once: whoever asks later gets no promise of the instance. Rejects with a `LoadFault`. */
export async function start(source: CoreSource): Promise<CreateCore> {
  if (running) return create;
  const module = await compile(source);
  try {
    await init({ module_or_path: module });
    running = true;
  } catch (cause) {
    throw judge(cause, "It cannot be instantiated; is it of this version?");
  }
  return create;
}

const create: CreateCore = (options, host, onTrap, signal) => {
  globalThis.addEventListener?.(
    "error",
    ({ error }: ErrorEvent) => {
      if (error?.name === "RuntimeError" && String(error.stack).includes(mark)) onTrap(error);
    },
    { signal },
  );
  const core = new WasmCore(options, host) as unknown as Core;
  // The core may stop between two turns of the event loop; then the signal settles what waits for it.
  const gate: Gate = {
    authorize: (url, method) => abortable(async () => granted(core.authorize(url, method)), signal),
    answered: (...about) => abortable(async () => core.answered(...about), signal),
    isSessionExpired: host.isSessionExpired,
  };
  core.fetch = (request, body) => send(gate, request, body);
  return core;
};

async function compile({ given, address }: CoreSource): Promise<WebAssembly.Module> {
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
    mark = url || mark;
    return await WebAssembly.compileStreaming(response);
  } catch (cause) {
    throw judge(cause, found);
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
function judge(cause: unknown, found: string): LoadFault {
  const { name, message = String(cause) }: Partial<Error> = Object(cause);
  const refused = name !== "TypeError" && /Content.Security.Policy|\bCSP\b|unsafe-eval/i.test(message);
  return refused
    ? { code: "wasm_blocked_by_csp", detail: "", cause }
    : { code: "wasm_load_failed", detail: `${found} ${message}`.trim(), cause };
}
