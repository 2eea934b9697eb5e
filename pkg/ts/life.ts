import type { Parts } from "./config.js";
import { type Engine, place, type Placed } from "./engine.js";
import { type AuthError, own, wrap } from "./error.js";
import type { Host } from "./skin.js";

/** One core from its start to its end, and the promise that every call to it settles. */
export interface Life {
  /** Why nothing works any more, if so. */
  readonly over: AuthError | undefined;
  /** Where the core runs, once it does. */
  readonly isolation: "worker" | "page" | undefined;
  /** Loads and makes the core, once. After a failure, the next call tries again. */
  start(): Promise<Engine>;
  /** Does `work` such that it settles: with its result, with an `AuthError`, or when this life ends. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Ends it: whoever waits is told why, and so is every later call. Gives back the core that is to be disposed of. */
  end(reason: AuthError): Engine | undefined;
}

/** A core that ends again within this time, by a clock that nobody sets, is given up. */
const PAUSE_MS = 60_000;

/** What a life tells its owner. */
export interface LifeNews {
  /** The core was lost again and again, and this life has ended by it. */
  trapped(error: AuthError): void;
  /** The core is gone and who waited was told; the next call starts another one. */
  lost(): void;
  /** The core does not run where it should. */
  degraded(cause: string): void;
}

export function life(parts: Parts<unknown>, host: Host, news: LifeNews): Life {
  /** Ends what waits for the core in use. */
  let ended = new AbortController();
  /** The calls that have not settled, by the function that rejects them. */
  const waiting = new Set<(error: AuthError) => void>();
  let over: AuthError | undefined;
  let starting: Promise<Engine> | undefined;
  let placed: Placed | undefined;
  /** Where the last one ran. */
  let before: Placed["isolation"] | undefined;
  let diedAt = -Infinity;

  function rejectAll(reason: AuthError): Engine | undefined {
    ended.abort(reason);
    const last = placed?.engine;
    placed = undefined;
    for (const reject of waiting) reject(reason);
    waiting.clear();
    return last;
  }

  function end(reason: AuthError): Engine | undefined {
    over = reason;
    return rejectAll(reason);
  }

  function died(cause: unknown): void {
    if (over) return;
    // The next core of this tab tells it in its history. Where storage is blocked, there is none.
    try {
      sessionStorage["authsafe.lost"] = Date.now();
    } catch {}
    // One that ends as soon as it runs would be started for ever.
    const now = performance.now();
    if (now - diedAt < PAUSE_MS) {
      end(own("wasm_trapped", "", cause));
      return news.trapped(over!);
    }
    diedAt = now;
    before = placed?.isolation;
    starting = undefined;
    rejectAll(own("core_lost", "", cause));
    ended = new AbortController();
    news.lost();
  }

  return {
    get over() {
      return over;
    },
    get isolation() {
      return placed?.isolation;
    },
    start() {
      return (starting ??= place(parts, host, died, ended.signal, before)
        .then((made) => {
          if (over) {
            made.engine.dispose();
            throw over;
          }
          placed = made;
          if (made.degraded) news.degraded(made.degraded);
          return made.engine;
        })
        .catch((error: unknown) => {
          starting = undefined;
          throw error;
        }));
    },
    guard(work) {
      return new Promise((resolve, reject) => {
        if (over) return reject(over);
        waiting.add(reject);
        const { signal } = ended;
        const fail = (error: unknown) => {
          // A function that stopped half-way leaves an instance behind that is not to be trusted with another call.
          if ((error as Error | undefined)?.name === "RuntimeError" && !signal.aborted) {
            (placed?.engine.abandon ?? died)(error);
          }
          reject(wrap(error));
        };
        work()
          .then(resolve, fail)
          .finally(() => waiting.delete(reject));
      });
    },
    end,
  };
}
