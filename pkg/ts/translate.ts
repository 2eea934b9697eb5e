import { type AuthError, own, wrap } from "./error.js";
import type { RawUser, StatePlain } from "./skin.js";
import type { AuthState, Claims } from "./types.js";

/** Turns what the core says into what the application sees: mapped users, `AuthError`s, stable references. */
export interface Translator<U extends Claims> {
  /** The application's user. Throws `config_invalid` where `mapUser` threw. */
  user(raw: RawUser): U;
  /** The same reference as before, where nothing changed. */
  state(plain: StatePlain): AuthState<U>;
  /** An event's detail. */
  event(detail: object): object;
}

/** The members of states, results and events that hold a user. */
const USERS = ["user", "previous", "current"];

export function translator<U extends Claims>(mapUser?: (raw: RawUser) => U): Translator<U> {
  // The core makes new objects for what it says, so equality is that of the text. Two users, for `userChanged`.
  const users: { text: string; user: U }[] = [];
  let last: { text: string; state: AuthState<U> } | undefined;

  function user(raw: RawUser): U {
    const text = JSON.stringify(raw);
    let entry = users.find((known) => known.text === text);
    if (!entry) {
      entry = { text, user: map(raw) };
      users.unshift(entry);
      users.length = Math.min(users.length, 2);
    }
    return entry.user;
  }

  function map(raw: RawUser): U {
    try {
      return mapUser ? mapUser(raw) : (raw as U);
    } catch (error) {
      throw own("config_invalid", "`mapUser` threw.", error);
    }
  }

  function fields(plain: object): object {
    const copy: Record<string, unknown> = { ...plain };
    for (const name of USERS) if (copy[name]) copy[name] = user(copy[name] as RawUser);
    if (copy.error) copy.error = wrap(copy.error);
    return copy;
  }

  function state(plain: StatePlain): AuthState<U> {
    const text = JSON.stringify(plain);
    if (last?.text !== text) {
      // What is known about somebody who has left is not kept.
      if (plain.status === "unauthenticated") users.length = 0;
      let next: AuthState<U>;
      try {
        next = fields(plain) as AuthState<U>;
      } catch (error) {
        next = { status: "unauthenticated", reason: "error", error: error as AuthError };
      }
      last = { text, state: next };
    }
    return last!.state;
  }

  return { user, state, event: fields };
}
