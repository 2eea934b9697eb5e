// Generated from src/policy/storage.rs by tests/generated.rs. Change the table, then: AUTHSAFE_BLESS=1 cargo test --test generated

import type { StorageDescription } from "../types.js";

/**
 * What is said first of a medium that is written to.
 *
 * @internal
 */
export const SEALED = [
  "Tokens are sealed with a key that cannot be exported: whoever reads this medium alone has nothing, but script in the page can have the browser open them with that key.",
  "A copy of the whole browser profile may hold the key, too.",
];

/**
 * The same, where the application chose plain text.
 *
 * @internal
 */
export const PLAIN = [
  "Tokens are plain text: any script of this origin, an injected one too, can read them and use them elsewhere.",
  "Whoever copies the browser profile, such as a backup or malware, has the tokens.",
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
      "Nothing is written anywhere: a reload or a closed tab loses the tokens, and the provider is asked for others.",
      "Each tab has a session of its own.",
      "No other script can look the tokens up in a store, but script that was injected into this page can make requests as the user; in page isolation, it may catch tokens, too.",
    ],
  },
  sessionStorage: {
    survivesReload: true,
    sharedAcrossTabs: false,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "The session survives a reload and ends with the tab; some browsers bring it back when they restore the tab.",
      "Other tabs do not see it, except that a duplicated tab starts with a copy: the first of the two to renew leaves the other one without a refresh token.",
      "While the tab lives, and where the browser saves tabs for a restart, what is stored may also be on disk.",
    ],
  },
  localStorage: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "All tabs share the session, and it survives a restart of the browser.",
      "It stays on disk until the user signs out or clears the site's storage, however long that takes.",
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
      "What one tab writes, every other tab reads at once; localStorage may show an older value for a moment.",
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
      "All tabs share the session. Without `maxAgeSeconds` it is meant to end when the browser closes, but browsers that restore tabs also restore such cookies.",
      "The browser sends what is stored to this site's server with every request below `path`: it can end up in its logs, and every server that answers for this host sees it.",
      "A script-written cookie can never be HttpOnly. For a refresh token in an HttpOnly cookie, let the backend set it and use `firstParty.refreshCookie`.",
      "Cookies share a few kilobytes for each site; large tokens make every request heavier.",
    ],
  },
  custom: {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
    notes: [
      "authsafe cannot look inside the adapter. What is said here is what should be expected, and the worst of it.",
      "Whether anyone else can read what the adapter is handed, and for how long it is kept, is its own doing.",
      "If it throws, rejects or loses a record, the session goes on in memory and ends with the page.",
    ],
  },
} satisfies { [kind: string]: StorageDescription };
