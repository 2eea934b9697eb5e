/**
 * The entry of `dist/core.js`: compiles the wasm and hands out cores, and nothing else. The instances, their memory and the
 * glue's exports stay in this module, where script of the page cannot reach them. The second wasm, which judges ID tokens, is
 * loaded when the core asks for it.
 */
import { abortable } from "./abortable.js";
import { compile, fault, NOT_OURS } from "./compile.js";
import { type Gate, send } from "./fetch.js";
import { type Instance, instantiate } from "./glue.js";
import { granted } from "./grant.js";
import { instantiate as instantiateJudge, type Judge } from "./jwt-glue.js";
import type { Core, CoreSource, CreateCore, Host, LoadFault } from "./skin.js";

// What the stack of a fault in this module names: the address that it was streamed from, or this script, which compiled it.
let mark = import.meta.url;

/** The digest of the wasm that judges ID tokens, as Subresource Integrity §3.3 writes it. */
declare const JWT_INTEGRITY: string;

let module: WebAssembly.Module | undefined;
let instance: Instance | undefined;

/** Who hears that the instance is given up. */
const owners = new Set<(fault: unknown) => void>();

/** Where the one that judges comes from, and the one that is there; the promise tells no more than that it is. */
let judgeAddress = "";
let judge: Judge | undefined;
let loading: Promise<void> | undefined;

/**
 * Compiles `source`, once: whoever asks later gets no promise of the instance. `jwt` is the address of the second wasm. Rejects
 * with a `LoadFault`.
 */
export async function start(source: CoreSource, jwt: string | URL): Promise<CreateCore> {
  judgeAddress ||= String(jwt);
  if (module) return create;
  const compiled = await compile(source, (url) => (mark = url));
  try {
    const made = instantiate();
    await made.start({ module_or_path: compiled });
    instance ??= made;
    module ??= compiled;
  } catch (cause) {
    throw fault(cause, NOT_OURS);
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

/** What the core calls to have an ID token judged. Nothing that is in it is waited for by a promise. */
const judging = {
  async prepare(jwksUri?: string) {
    // Whoever verifies tries again, and reports.
    await loadJudge().catch(() => {});
    judge?.prepare(jwksUri);
  },
  async verify(check: string) {
    await loadJudge();
    return new Promise<string>((done) => judge!.verify(check, undefined, done));
  },
};

function loadJudge(): Promise<void> {
  return (loading ??= beginJudge().catch((fault: LoadFault) => {
    loading = undefined;
    throw fault;
  }));
}

async function beginJudge(): Promise<void> {
  const given = fetch(judgeAddress, { integrity: JWT_INTEGRITY });
  const compiled = await compile({ given, address: judgeAddress });
  try {
    const made = instantiateJudge();
    made.startNow({ module: compiled });
    judge = new made.Jwt();
  } catch (cause) {
    throw fault(cause, NOT_OURS);
  }
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
      if (error?.name !== "RuntimeError") return;
      const stack = String(error.stack);
      // Of what it was about, the core hears when its patience ends.
      if (stack.includes(judgeAddress)) judge = loading = undefined;
      else if (stack.includes(mark)) abandon(mine, error);
    },
    { signal },
  );
  let core: Core;
  try {
    core = new mine.Core(options, { __proto__: null, ...host, judge: judging } as Host & { judge: object }) as Core;
  } catch (thrown) {
    if ((thrown as Error | undefined)?.name === "RuntimeError") abandon(mine, thrown);
    throw thrown;
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
