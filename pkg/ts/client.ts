import { abortable } from "./abortable.js";
import { type Log, plain, takeApart } from "./config.js";
import { type AuthError, own, report, wrap } from "./error.js";
import { type Engine, wantsWorker } from "./engine.js";
import { type Listeners, listeners } from "./listeners.js";
import { life } from "./life.js";
import { load } from "./loader.js";
import type { Host, LoginPlain, StatePlain } from "./skin.js";
import { translator } from "./translate.js";
import type {
  AccessTokenOptions,
  AuthClient,
  AuthEvents,
  AuthState,
  Claims,
  IdTokenClaims,
  InitResult,
  LoginOptions,
  LoginResult,
  SessionAuthClient,
  SessionConfig,
  TokenAuthClient,
  TokenConfig,
} from "./types.js";

/**
 * Makes a client. Synchronous and without side effects, so it is safe on a server: the wasm is fetched by `init()`,
 * `preload()` or the first other call.
 *
 * @throws {AuthError} `config_invalid`, where an option is wrong in a way that can be seen at once. What only the core can
 * judge is found by `init()`.
 */
export function createAuthClient<U extends Claims = Claims>(config: SessionConfig<U>): SessionAuthClient<U>;
export function createAuthClient<U extends Claims = Claims>(config: TokenConfig<U>): TokenAuthClient<U>;
export function createAuthClient<U extends Claims = Claims>(
  config: SessionConfig<U> | TokenConfig<U>,
): SessionAuthClient<U> | TokenAuthClient<U> {
  const parts = takeApart(config);
  const { mode, functions, mapUser, log } = parts;
  const translate = translator(mapUser);
  const states = listeners<AuthState<U>>();
  const events: { [name: string]: Listeners<never> } = Object.create(null);
  let state: AuthState<U> = { status: "initializing" };
  let initializing: Promise<InitResult<U>> | undefined;
  let settled = false;
  /** A core was lost, and with it a session that may come back from where it is stored. */
  let reviving = false;

  function show(next: AuthState<U>): void {
    if (alive.over?.code === "disposed" || next === state) return;
    state = next;
    const { status, freshness, reason, error }: Loggable = next;
    note("debug", "state", status, freshness);
    if (reason === "error") note("error", "state", error?.message);
    states.tell(next, () => state === next);
  }

  /** What stands in the place of a core that was lost. What became of the session is told here, as no core knows both states. */
  function succeed(next: AuthState<U>): void {
    const before: Loggable = state;
    reviving = false;
    show(next);
    const after: Loggable = next;
    if (before.user && !after.user) tell("signedOut", { reason: after.reason, origin: "this-tab" });
    if (after.session && before.session && before.session.sub !== after.session.sub) {
      tell("userChanged", { previous: before.user, current: after.user });
    }
  }

  function showError(error: AuthError): void {
    succeed({ status: "unauthenticated", reason: "error", error });
  }

  function tell(name: string, detail: object): void {
    const { error, cause, reason, origin, fatal }: Loggable = detail;
    const ended = fatal || reason === "error" || reason === "storage_lost";
    const level = ended ? "error" : error || cause ? "warn" : "info";
    note(level, name, error?.message ?? cause ?? reason, origin);
    events[name]?.tell(detail as never);
  }

  /** A line of the log. A logger that throws is reported, and changes nothing. */
  function note(level: Parameters<Log>[0], ...parts: (string | undefined)[]): void {
    try {
      log(level, parts.filter(Boolean).join(": "));
    } catch (error) {
      report(error);
    }
  }

  /** What goes wrong here is reported and not thrown back into wasm. A core that was given up is not heard. */
  function hear(work: () => void): void {
    try {
      if (!alive.over) work();
    } catch (error) {
      report(error);
    }
  }

  const host: Host = Object.assign(functions, {
    onState: (next) => hear(() => showPlain(next)),
    onEvent: (name, detail) =>
      hear(() => {
        // These are the affair of `succeed`.
        if (reviving && ["signedIn", "signedOut", "userChanged"].includes(name)) return;
        tell(name, translate.event(detail));
      }),
  } satisfies Pick<Host, "onState" | "onEvent">);

  const alive = life(parts, host, {
    trapped: showError,
    degraded: (cause) => host.onEvent("isolationDegraded", { cause }),
    lost() {
      const again = settled;
      reviving = again && "user" in state;
      settled = false;
      initializing = undefined;
      note("warn", "core lost");
      // A failure shows in the state.
      if (again) init().catch(() => {});
    },
  });

  /** What a new core found in the place of one that was lost. A session that it did not find again has ended by that. */
  function showFound(plain: StatePlain): void {
    if (!reviving) return showPlain(plain);
    const gone = plain.status === "unauthenticated" && plain.reason === "never";
    succeed(translate.state(gone ? { ...plain, reason: "storage_lost" } : plain));
  }

  function showPlain(plain: StatePlain): void {
    // While a lost core is replaced, the state of before stands.
    if (!reviving) show(translate.state(plain));
  }

  function init(): Promise<InitResult<U>> {
    if (alive.over) return Promise.reject(alive.over);
    return (initializing ??= alive
      .guard(async () => {
        const running = await alive.start();
        const { callback, error } = await running.init();
        showFound(running.snapshot());
        settled = true;
        const result: InitResult<U> = { state };
        if (error) result.error = wrap(error);
        try {
          if (callback) result.callback = signedIn(callback);
        } catch (error) {
          result.error = wrap(error);
        }
        const { reason }: Loggable = state;
        // Where nobody is signed in because of it, that was logged as an error.
        if (result.error && reason !== "error") note("warn", "init", result.error.message);
        return result;
      })
      .catch((error: AuthError) => {
        initializing = undefined;
        if (!alive.over) showError(error);
        throw error;
      }));
  }

  /**
   * Every call restores the session first: before that, the core could not tell whether somebody is signed in. The signal
   * ends the waiting; what the core was not asked until then, it is not asked any more.
   */
  function use<T>(call: (core: Engine) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const calledOff = () => own("aborted", "", signal!.reason);
    const work = () =>
      alive.guard(async () => {
        await init();
        const running = await alive.start();
        if (alive.over) throw alive.over;
        if (signal?.aborted) throw calledOff();
        return call(running);
      });
    if (!signal) return work();
    return signal.aborted ? Promise.reject(calledOff()) : abortable(work, signal, calledOff);
  }

  /** The core cannot call off a sign-in. One that arrives after it was called off is ended again. */
  async function login({ signal, ...options }: LoginOptions, core: Engine): Promise<LoginResult<U>> {
    const result = await core.login(plain(options));
    if (signal?.aborted) {
      await core.revoke().catch((error: unknown) => {
        // The caller has its answer already, so this is the only place that tells.
        note("warn", "login", wrap(error).message);
        throw error;
      });
    }
    return signedIn(result);
  }

  function signedIn(result: LoginPlain): LoginResult<U> {
    return { ...result, user: translate.user(result.user) };
  }

  const client: Omit<AuthClient<U>, "mode"> & { mode: typeof mode } = {
    mode,
    get isolation() {
      return (settled && alive.isolation) || "pending";
    },
    init,
    // A worker is started; in the page, only the loading is done.
    preload: () => alive.guard(async () => void (await (wantsWorker(parts) ? alive.start() : load()))),
    getState: () => state,
    subscribe: (listener) => (alive.over ? () => {} : states.add(listener)),
    on(event, listener, { signal, once } = {}) {
      if (alive.over || signal?.aborted) return () => {};
      const all = (events[event] ??= listeners<never>()) as unknown as Listeners<AuthEvents<U>[typeof event]>;
      const off = all.add((detail) => {
        if (once) off();
        listener(detail);
      });
      signal?.addEventListener("abort", off, { once: true });
      return off;
    },
    login: (options) => use((core) => login(options ?? {}, core), options?.signal),
    logout: (options = {}) => use((core) => core.logout(plain(options))),
    refresh: () => use((core) => core.refresh()).then(() => state),
    diagnose: () => use((core) => core.diagnose()),
    async fetch(input, init) {
      // The browser's own parser decides what the address is; nothing here compares the text that the caller wrote.
      const request = new Request(input, init);
      const { signal } = request;
      signal.throwIfAborted();
      const core = await abortable(() => use((core) => core), signal);
      try {
        return await core.fetch(request, init?.body);
      } catch (error) {
        // The browser's own errors pass; those of the core, and its end, are told as everywhere.
        const { phase, name } = Object(error) as Partial<AuthError>;
        if (phase || name === "RuntimeError") return alive.guard(() => Promise.reject(error));
        throw error;
      }
    },
    dispose() {
      const doomed = alive.end(own("disposed"));
      states.clear();
      for (const name in events) events[name]!.clear();
      // Not at once: a listener may call this, and then the core is still at work further up the stack.
      if (doomed) queueMicrotask(() => doomed.dispose());
    },
  };

  return Object.assign(
    client,
    mode === "session"
      ? {
          checkSession: () => use((core) => core.check!()),
          extendSession: () => use((core) => core.extend!()),
        }
      : {
          getAccessToken: ({ minValiditySeconds = 5, signal, ...others }: AccessTokenOptions = {}) =>
            use((core) => {
              const [name] = Object.keys(plain(others));
              if (name) throw own("config_invalid", `\`${name}\` is no option of getAccessToken().`);
              return core.accessToken(minValiditySeconds);
            }, signal),
          getIdTokenClaims: () => use((core) => core.idTokenClaims() as Promise<IdTokenClaims | null>),
          revoke: () => use((core) => core.revoke()),
        },
  ) as SessionAuthClient<U> | TokenAuthClient<U>;
}

/** What is looked at in a state or an event. The user and the session are nobody's business in a line of the log. */
interface Loggable {
  status?: string;
  freshness?: string;
  reason?: string;
  origin?: string;
  cause?: string;
  error?: { message: string };
  fatal?: boolean;
  user?: object;
  session?: { sub?: string };
}
