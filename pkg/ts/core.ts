/**
 * The entry of `dist/core.js`: compiles the wasm and hands out cores, and nothing else. The instance, its memory and the
 * glue's exports stay in this module, where script of the page cannot reach them.
 */
import { abortable } from "./abortable.js";
import { type Gate, send } from "./fetch.js";
import { type Instance, instantiate } from "./glue.js";
import { granted } from "./grant.js";
import type { Core, CoreSource, CreateCore, LoadFault } from "./skin.js";

// What the stack of a fault in this module names: the address that it was streamed from, or this script, which compiled it.
let mark = import.meta.url;

let module: WebAssembly.Module | undefined;
let instance: Instance | undefined;

/** Who hears that the instance is given up. */
const owners = new Set<(fault: unknown) => void>();

/** Compiles `source`, once: whoever asks later gets no promise of the instance. Rejects with a `LoadFault`. */
export async function start(source: CoreSource): Promise<CreateCore> {
  if (module) return create;
  const compiled = await compile(source);
  try {
    const made = instantiate();
    await made.start({ module_or_path: compiled });
    instance ??= made;
    module ??= compiled;
  } catch (cause) {
    throw judge(cause, "It cannot be instantiated; is it of this version?");
  }
  return create;
}

/** What one core stopped at half-way is the memory of all of them. */
function abandon(from: Instance, fault: unknown): void {
  if (from !== instance) return;
  instance = undefined;
  from.stop();
  const all = [...owners];
  owners.clear();
  for (const owner of all) owner(fault);
}

function anew(): Instance {
  const made = instantiate();
  made.startNow({ module: module! });
  return made;
}

const create: CreateCore = (options, host, onTrap, signal) => {
  const mine = (instance ??= anew());
  globalThis.addEventListener?.(
    "error",
    ({ error }: ErrorEvent) => {
      if (error?.name === "RuntimeError" && String(error.stack).includes(mark)) abandon(mine, error);
    },
    { signal },
  );
  let core: Core;
  try {
    core = new mine.Core(options, host) as Core;
  } catch (fault) {
    if ((fault as Error | undefined)?.name === "RuntimeError") abandon(mine, fault);
    throw fault;
  }
  owners.add(onTrap);
  signal.addEventListener("abort", () => owners.delete(onTrap), { once: true });
  core.abandon = (fault) => abandon(mine, fault);
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
