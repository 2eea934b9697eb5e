import { report } from "./error.js";
import type { Unsubscribe } from "./types.js";

/** Listeners that cannot disturb one another: one that throws is reported, and the others are called all the same. */
export interface Listeners<T> {
  add(listener: (value: T) => void): Unsubscribe;
  /** Calls those that are registered now. `current` ends the round: a listener made newer news, which went round already. */
  tell(value: T, current?: () => boolean): void;
  clear(): void;
}

export function listeners<T>(): Listeners<T> {
  // Wrapped, so that one function registered twice is two registrations.
  const all = new Set<{ listener: (value: T) => void }>();
  return {
    add(listener) {
      const entry = { listener };
      all.add(entry);
      return () => void all.delete(entry);
    },
    tell(value, current = () => true) {
      for (const entry of [...all]) {
        if (!current()) return;
        if (!all.has(entry)) continue;
        try {
          entry.listener(value);
        } catch (error) {
          report(error);
        }
      }
    },
    clear: () => all.clear(),
  };
}
