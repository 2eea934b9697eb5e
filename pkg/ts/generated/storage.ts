// Generated from src/policy/storage.rs by tests/generated.rs. Change the table, then: AUTHSAFE_BLESS=1 cargo test --test generated

import type { StorageDescription } from "../types.js";

/**
 * What is said first of a medium that is written to.
 *
 * @internal
 */
export const SEALED = [
  "Tokens are sealed with a key that cannot be exported: who reads this medium alone has nothing, but script in the page can have them opened.",
  "A copy of the browser profile may hold the key, too.",
];

/**
 * The same, where the application chose plain text.
 *
 * @internal
 */
export const PLAIN = [
  "Tokens are plain text: any script of this origin, an injected one too, can take them away.",
  "A copy of the browser profile, such as a backup, holds the tokens.",
];

/**
 * What each medium gives and risks in either form.
 *
 * @internal
 */
export const STORAGE = {
  memory: {
    survivesReload: false,
    sharedAcrossTabs: false,
    readableByScript: false,
    sentAutomatically: false,
    notes: [
      "Nothing is written: a reload loses the tokens, and the provider is asked for others.",
      "Each tab has a session of its own.",
      "Injected script finds them in no store, but can act as the user; in page isolation, it may catch tokens, too.",
    ],
  },
  sessionStorage: {
    survivesReload: true,
    sharedAcrossTabs: false,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "The session survives a reload and ends with the tab; some browsers restore both.",
      "Other tabs do not see it; of a duplicated tab, the first to renew leaves the other without a refresh token.",
      "While the tab lives, and where the browser saves tabs, it may also be on disk.",
    ],
  },
  localStorage: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "All tabs share the session, and it survives a restart of the browser.",
      "It stays on disk until the user signs out or clears the site's storage.",
      "On a shared computer the next person finds the session.",
    ],
  },
  indexedDB: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "All tabs share the session, and it survives a restart of the browser.",
      "What one tab writes, every other tab reads at once, which localStorage does not promise.",
      "It stays on disk until the user signs out or clears the site's storage, or the browser runs out of room.",
      "On a shared computer the next person finds the session.",
    ],
  },
  cookie: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: true,
    notes: [
      "All tabs share the session. Without `maxAgeSeconds` it ends when the browser closes, unless that restores its tabs.",
      "The browser sends it to this host's servers with every request below `path`, and it can end up in their logs.",
      "Script cannot write HttpOnly cookies; see `firstParty.refreshCookie`.",
      "A site's cookies share a few kilobytes; large tokens make every request heavier.",
    ],
  },
  custom: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "authsafe cannot look inside the adapter; this is the worst of it.",
      "Who else can read it, and how long it is kept, is its own doing.",
      "If it fails, the session goes on in memory and ends with the page.",
    ],
  },
} satisfies { [kind: string]: StorageDescription };
