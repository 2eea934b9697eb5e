/** Chooses the realm in which the core runs, and says when it is not the one that was asked for. */
import type { Parts } from "./config.js";
import { type AuthErrorFields, own, wrap } from "./error.js";
import { load } from "./loader.js";
import type { Calls, Core, Host, LoadFault } from "./skin.js";
import { NoWorker, openVault } from "./vault.js";

/** A core, here or in a worker; that of session mode is always here. */
export type Engine = Calls & Partial<Pick<Core, "check" | "extend" | "abandon">>;

/** An engine, where it runs, and why not where it should. */
export interface Placed {
  engine: Engine;
  isolation: "worker" | "page";
  degraded: string | undefined;
}

/** Whether a worker is asked for. */
export function wantsWorker({ mode, options }: Pick<Parts<unknown>, "mode" | "options">): boolean {
  const { isolation = mode === "token" ? "worker" : "page" } = options as { isolation?: string };
  return isolation !== "page";
}

/**
 * Starts a core. One that takes the place of another, which was lost, runs where that one did `before` or not at all, does not
 * leave the page that the user is at work in, and does not go by what was true when that page was loaded. `died` hears that it is
 * gone. Rejects with an `AuthError`.
 */
export async function place(
  parts: Parts<unknown>,
  host: Host,
  died: (cause: unknown) => void,
  signal: AbortSignal,
  before?: Placed["isolation"],
): Promise<Placed> {
  await shown();
  signal.throwIfAborted();
  let degraded: string | undefined;
  const { initialSession, ...later } = parts.options as { isolation?: unknown; initialSession?: unknown };
  const { isolation } = later;
  const options = before ? { ...later, ...(parts.mode === "token" && { restore: "refresh-token" }) } : parts.options;
  if (wantsWorker(parts) && before !== "page") {
    degraded = obstacle(parts);
    try {
      if (!degraded) return { engine: await openVault(options, host, died, signal), isolation: "worker", degraded };
    } catch (error) {
      if (!(error instanceof NoWorker)) throw told(error as LoadFault | AuthErrorFields);
      degraded = error.cause;
    }
    if (before || isolation === "required") throw own("isolation_unavailable", degraded);
  }
  const create = await load();
  signal.throwIfAborted();
  return { engine: create(options, host, died, signal), isolation: "page", degraded };
}

/** A page that is loaded ahead of its user signs nobody in and spends no token. */
async function shown(): Promise<void> {
  const page = globalThis.document as (Document & { prerendering?: boolean }) | undefined;
  if (page?.prerendering) await new Promise((done) => page.addEventListener("prerenderingchange", done));
}

function told(thrown: LoadFault | AuthErrorFields): unknown {
  return "phase" in thrown ? wrap(thrown) : own(thrown.code, (thrown as LoadFault).detail, (thrown as LoadFault).cause);
}

/** Why tokens pass through the page whatever runs in a worker. */
function obstacle({ mode, options, functions }: Parts<unknown>): string | undefined {
  if (mode === "session") return "Session mode has no tokens.";
  if (functions.parseTokens) return "`parseTokens` sees the tokens.";
  // Nothing that script put on Object.prototype is an option.
  const { kind, dangerouslyPlaintext } = { __proto__: null, ...(options as { storage?: object }).storage } as {
    kind?: string;
    dangerouslyPlaintext?: unknown;
  };
  return dangerouslyPlaintext === true && kind !== "indexedDB"
    ? "`dangerouslyPlaintext`: the page sees the tokens."
    : undefined;
}
