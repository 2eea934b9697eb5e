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

/** A worker that ends again within this time is given up. */
const PAUSE_MS = 60_000;

/** What a life tells its owner. */
export interface LifeNews {
  /** The core stopped at an internal fault, and this life has ended by it. */
  trapped(error: AuthError): void;
  /** The worker is gone and who waited was told; the next call starts another one. */
  lost(): void;
  /** The core does not run where it should. */
  degraded(cause: string): void;
}

export function life(parts: Parts<unknown>, host: Host, news: LifeNews): Life {
  const ended = new AbortController();
  /** The calls that have not settled, by the function that rejects them. */
  const waiting = new Set<(error: AuthError) => void>();
  let over: AuthError | undefined;
  let starting: Promise<Engine> | undefined;
  let placed: Placed | undefined;
  let diedAt = 0;

  function rejectAll(reason: AuthError): Engine | undefined {
    const last = placed?.engine;
    placed = undefined;
    for (const reject of waiting) reject(reason);
    waiting.clear();
    return last;
  }

  function end(reason: AuthError): Engine | undefined {
    over = reason;
    ended.abort(reason);
    return rejectAll(reason);
  }

  /** A function that stopped half-way leaves an instance behind that is not to be trusted with another call. */
  function trap(fault: unknown): void {
    if (over) return;
    end(own("wasm_trapped", "", fault));
    news.trapped(over!);
  }

  function died(cause: unknown): void {
    if (over) return;
    // One that ends as soon as it runs would be started for ever.
    if (Date.now() - diedAt < PAUSE_MS) return trap(cause);
    diedAt = Date.now();
    starting = undefined;
    rejectAll(own("worker_lost", "", cause));
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
      return (starting ??= place(parts, host, { trap, died }, ended.signal, diedAt > 0)
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
        const fail = (error: unknown) => {
          if ((error as Error | undefined)?.name === "RuntimeError") trap(error);
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
