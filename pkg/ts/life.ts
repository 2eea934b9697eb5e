import { type AuthError, own, wrap } from "./error.js";
import { load } from "./loader.js";
import type { Core, Host } from "./skin.js";

/** One core from its start to its end, and the promise that every call to it settles. */
export interface Life {
  /** Why nothing works any more, if so. */
  readonly over: AuthError | undefined;
  /** Loads and makes the core, once. After a failure, the next call tries again. */
  start(): Promise<Core>;
  /** Does `work` such that it settles: with its result, with an `AuthError`, or when this life ends. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Ends it: whoever waits is told why, and so is every later call. Gives back the core that is to be disposed of. */
  end(reason: AuthError): Core | undefined;
}

/** `onTrap` hears when the core stopped at an internal fault, after this life has ended by it. */
export function life(options: object, host: Host, onTrap: (error: AuthError) => void): Life {
  const ended = new AbortController();
  /** The calls that have not settled, by the function that rejects them. */
  const waiting = new Set<(error: AuthError) => void>();
  let over: AuthError | undefined;
  let starting: Promise<Core> | undefined;
  let core: Core | undefined;

  function end(reason: AuthError): Core | undefined {
    const last = core;
    over = reason;
    core = undefined;
    ended.abort();
    for (const reject of waiting) reject(reason);
    waiting.clear();
    return last;
  }

  /** A function that stopped half-way leaves an instance behind that is not to be trusted with another call. */
  function trap(fault: unknown): void {
    if (over) return;
    end(own("wasm_trapped", "", fault));
    onTrap(over!);
  }

  return {
    get over() {
      return over;
    },
    start() {
      return (starting ??= load()
        .then((create) => {
          if (over) throw over;
          return (core = create(options, host, trap, ended.signal));
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
