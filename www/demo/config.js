/** What the person chose, in the address and for the way back from the provider; and what the servers say of themselves. */

const CHOICES = {
  mode: ["session", "token"],
  csrf: ["double-submit", "synchronizer", "static-header"],
  login: ["oidc", "password", "password-cookie"],
  storage: ["memory", "sessionStorage", "localStorage", "indexedDB", "cookie"],
  renew: ["ahead", "on-use"],
  plaintext: ["no", "yes"],
};

/** The first of each list is the default, but the page opens with the mode that most sites should begin with: session. */
const DEFAULTS = Object.fromEntries(Object.entries(CHOICES).map(([name, values]) => [name, values[0]]));

/** The redirect's target has no query, so the choice waits here while the browser is at the provider. */
const KEY = "authsafe-demo:choice";

/**
 * The choice: what the address names, else what this tab chose before, else the defaults. Unknown words count as unnamed.
 * @typedef {typeof DEFAULTS} Choice
 * @returns {Choice}
 */
export function readChoice(search = location.search) {
  const query = new URLSearchParams(search);
  const named = Object.fromEntries(
    Object.keys(CHOICES).flatMap((name) => (query.has(name) ? [[name, query.get(name)]] : [])),
  );
  const remembered = Object.keys(named).length > 0 ? {} : recall();
  return normalise({ ...DEFAULTS, ...remembered, ...named });
}

/** Keeps the choice for a reload and for the callback. A tab that blocks storage still has it in its address. */
export function rememberChoice(choice) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // Only the redirect then comes back to the default choice; nothing else depends on it.
  }
}

/** The page's own address for a choice: a path with a query, that names only what matters in that mode. */
export function addressOf(choice) {
  return `/?${new URLSearchParams(relevant(choice))}`;
}

/**
 * Puts the choice into the address. A sign-in's answer in the address is left alone: until the client has taken it, or
 * where it is somebody else's, it is not ours to remove.
 */
export function showInAddress(choice) {
  const query = new URLSearchParams(location.search);
  if (query.has("state") || query.has("code")) return;
  const address = addressOf(choice);
  if (location.pathname + location.search !== address) history.replaceState(history.state, "", address);
}

/** Plain text needs consent only where something is written that outlives the page's memory. */
export const needsConsent = (choice) => choice.mode === "token" && choice.storage !== "memory";

/** Asks the page's server what runs where. See `describe` in server/stack.js for the shape. */
export async function loadServers() {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  return response.json();
}

function relevant(choice) {
  const { mode, csrf, login, storage, renew, plaintext } = choice;
  if (mode === "session") return { mode, csrf, renew };
  return { mode, login, storage, ...(needsConsent(choice) && plaintext === "yes" ? { plaintext } : {}), renew };
}

function normalise(choice) {
  const known = Object.entries(CHOICES).map(([name, values]) => {
    return [name, values.includes(choice[name]) ? choice[name] : DEFAULTS[name]];
  });
  return Object.fromEntries(known);
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
