/** Chooses the realm in which the core runs, and says when it is not the one that was asked for. */
import type { Parts } from "./config.js";
import { type AuthErrorFields, own, wrap } from "./error.js";
import { load } from "./loader.js";
import type { Calls, Core, Host, LoadFault } from "./skin.js";
import { NoWorker, openVault } from "./vault.js";

/** A core, here or in a worker; that of session mode is always here. */
export type Engine = Calls & Partial<Pick<Core, "check" | "extend">>;

/** An engine, where it runs, and why not where it should. */
export interface Placed {
  engine: Engine;
  isolation: "worker" | "page";
  degraded?: string;
}

/** What an engine says besides its answers. */
export interface Ends {
  /** It stopped at an internal fault. */
  trap(fault: unknown): void;
  /** Its worker is gone. */
  died(cause: unknown): void;
}

/** Whether a worker is asked for. */
export function wantsWorker({ mode, options }: Pick<Parts<unknown>, "mode" | "options">): boolean {
  const { isolation = mode === "token" ? "worker" : "page" } = options as { isolation?: string };
  return isolation !== "page";
}

/**
 * Starts a core; `again`, where it takes the place of a worker that was lost: then in a worker or not at all, and without leaving
 * the page that the user is at work in. Rejects with an `AuthError`.
 */
export async function place(
  parts: Parts<unknown>,
  host: Host,
  ends: Ends,
  signal: AbortSignal,
  again: boolean,
): Promise<Placed> {
  let degraded: string | undefined;
  const { isolation } = parts.options as { isolation?: unknown };
  const options = again ? { ...parts.options, restore: "refresh-token" } : parts.options;
  if (wantsWorker(parts)) {
    degraded = obstacle(parts);
    try {
      if (!degraded) return { engine: await openVault(options, host, ends.died, signal), isolation: "worker" };
    } catch (error) {
      if (!(error instanceof NoWorker)) throw told(error as LoadFault | AuthErrorFields);
      degraded = error.cause;
    }
    if (again || isolation === "required") throw own("isolation_unavailable", degraded);
  }
  const create = await load();
  signal.throwIfAborted();
  const placed: Placed = { engine: create(parts.options, host, ends.trap, signal), isolation: "page" };
  return degraded ? { ...placed, degraded } : placed;
}

function told(thrown: LoadFault | AuthErrorFields): unknown {
  return "phase" in thrown ? wrap(thrown) : own(thrown.code, (thrown as LoadFault).detail, (thrown as LoadFault).cause);
}

/** Why tokens pass through the page whatever runs in a worker. */
function obstacle({ mode, options, functions }: Parts<unknown>): string | undefined {
  if (mode === "session") return "Session mode has no token that a worker could hold.";
  if (functions.parseTokens) return "`parseTokens` is a function of the page, and sees the tokens.";
  // Nothing that script put on Object.prototype is an option.
  const { kind, dangerouslyPlaintext } = { __proto__: null, ...(options as { storage?: object }).storage } as {
    kind?: string;
    dangerouslyPlaintext?: unknown;
  };
  return dangerouslyPlaintext === true && kind !== "indexedDB"
    ? "With `dangerouslyPlaintext`, the page itself reads and writes tokens."
    : undefined;
}
