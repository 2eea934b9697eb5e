// What must hold whatever happens, I1 to I8 of docs/faults.md, looked for in what the servers were asked, what the pages told and
// what the tabs hold in the end. Judges alone: `watch.mjs` collects. The checker believes the servers, and no client.

/** As many token requests of one session within a minute are no storm; tests ask for some themselves. */
export const MOST_A_MINUTE = 20;
const MINUTE = 60_000;
/** Reasons of a sign-out that somebody wished for. */
const WISHED = ["logged_out", "logged_out_elsewhere", "idle"];

/**
 * What may be declared of a test (see `invariants.breaks`), and what it is then about.
 *
 * @type {Record<string, string>}
 */
export const KINDS = {
  I1: "the refresh token that was issued last is not taken any more, or a session ended and no server wanted it",
  "I2 at once": "two token requests of one session were under way at once",
  "I2 again": "a refresh token was shown again that the server had replaced, or had taken without being heard",
  I3: "a promise hangs",
  "I4 twice": "one transition was told twice, or an end without a beginning",
  "I4 apart": "tabs that share a medium show different users",
  I5: "a credential was used after its sign-out",
  I6: "a storm of token requests",
  I7: "a secret is in a log, an error, a state, an address or at a server that it was not meant for",
  I8: "a token that lives was not used",
};

/**
 * @param {object} seen
 * @param {object[]} seen.exchanges Of all servers, see `wire.mjs`.
 * @param {object[]} seen.requests Of all tabs: `{ tab, at, begun, url, authorization, body }`; `at` is when it was heard of, `begun`
 *   when it left, which is later where a test held it.
 * @param {object[]} seen.told By all tabs: `{ tab, load, place, at, kind, value }`; the kinds are `state`, `event` and `error`, and
 *   each is numbered by itself.
 * @param {object[]} seen.ends Of the tabs that live: `{ tab, mode, pending, state, medium, who, degraded, alive, call, renewal }`. `who` is the
 *   user that it shows; `degraded`: it was told that it could not store something; `alive`: its token has not ended; `call` and `renewal` are the outcomes of a call and of a renewal that were made for this, where they were.
 * @param {{where: string, text: string}[]} seen.texts What the consoles showed.
 * @returns {{kind: string, what: string}[]} One for each kind and fact.
 */
export function violations({ exchanges, requests = [], told = [], ends = [], texts = [] }) {
  const ledger = read(exchanges);
  const found = [
    ...endedForAReason(ledger, told, ends),
    ...oneAtATime(ledger),
    ...neverAgain(ledger),
    ...settled(ends),
    ...toldOnce(told),
    ...together(ends),
    ...nothingAfterSignOut(ledger, requests, told),
    ...noStorm(ledger, requests),
    ...nothingShown(ledger, exchanges, told, texts),
    ...served(ends),
  ];
  return found.filter(({ what }, at) => found.findIndex((other) => other.what === what) === at);
}

/** What the servers gave out and were shown. A family is what has come of one sign-in. */
function read(exchanges) {
  const families = new Map();
  const secrets = new Map();
  const renewals = [];
  let refused = false;
  const secret = (value, name, host) => {
    if (typeof value !== "string" || value.length < 7) return;
    if (!secrets.has(value)) secrets.set(value, { name, hosts: new Set() });
    secrets.get(value).hosts.add(host);
  };
  for (const {
    method,
    url,
    host,
    headers = {},
    body,
    answer,
    status,
    location,
    cookies = [],
    at,
    until,
    finished = true,
    // As they began: an answer that was held is told of after those that were not.
  } of [...exchanges].sort((one, other) => one.at - other.at)) {
    for (const cookie of cookies) {
      const [, value] = /^[^=]+=([^;]*)/.exec(cookie) ?? [];
      if (/;\s*httponly/i.test(cookie) && value.length >= 16) secret(decodeURIComponent(value), "a cookie", host);
    }
    if (location && URL.canParse(location)) secret(new URL(location).searchParams.get("code"), "a code", host);
    if (method !== "POST") continue;
    const path = url.split("?")[0];
    const sent = members(body);
    for (const name of ["code_verifier", "code", "password", "refresh_token"]) secret(sent[name], `a ${name}`, host);
    const got = members(answer);
    for (const name of ["access_token", "refresh_token", "id_token"]) secret(got[name], `an ${name}`, host);
    const renews = sent.grant_type === "refresh_token" || (!sent.grant_type && path.endsWith("/refresh"));
    const shown = renews ? (sent.refresh_token ?? cookieOf(headers.cookie)) : undefined;
    if (got.error === "invalid_grant") refused = true;
    // Nothing was redeemed; the same request comes again, with the nonce.
    if (got.error === "use_dpop_nonce") continue;
    const given = got.refresh_token ?? cookies.map(cookieOf).find(Boolean);
    const family = families.get(shown) ?? {};
    if (shown) {
      families.set(shown, family);
      // What a server did whose answer nobody waited for, nobody knows.
      const replaced = !finished || (status === 200 && given !== undefined && given !== shown);
      renewals.push({ family, shown, replaced, host, at, until });
    }
    for (const token of [given, got.access_token]) if (status === 200 && token) families.set(token, family);
  }
  return { families, secrets, renewals, refused };
}

/** The members of a body, whether it is a form or JSON. */
function members(text = "") {
  try {
    return Object(JSON.parse(text));
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}

/** The refresh token that a backend keeps in a cookie. */
function cookieOf(text = "") {
  return /(?:^|;\s*)authsafe_refresh=([^;]+)/.exec(text)?.[1];
}

function endedForAReason({ refused }, told, ends) {
  const found = [];
  for (const { tab, kind, value } of told) {
    if (kind === "state" && value.status === "unauthenticated" && !value.reason) {
      found.push({ kind: "I1", what: `tab ${tab} shows nobody, and no reason` });
    }
    // What a backend for sessions answers is not for this ledger.
    if (kind === "event" && value.name === "signedOut" && value.mode === "token" && !refused) {
      const { reason } = value;
      if (["expired", "revoked"].includes(reason)) {
        found.push({
          kind: "I1",
          what: `tab ${tab} ended its session (${reason}), and no server had refused its token`,
        });
      }
    }
  }
  for (const { tab, state, renewal } of ends) {
    if (state?.status === "authenticated" && renewal?.error?.code === "session_expired") {
      found.push({ kind: "I1", what: `tab ${tab} shows somebody, and the server takes its refresh token no more` });
    }
  }
  return found;
}

function oneAtATime({ renewals }) {
  const found = [];
  for (const [at, one] of renewals.entries()) {
    for (const other of renewals.slice(at + 1)) {
      if (one.family === other.family && other.at < one.until && one.at < other.until) {
        found.push({ kind: "I2 at once", what: `${one.host} was asked for two renewals of one session at once` });
      }
    }
  }
  return found;
}

function neverAgain({ renewals }) {
  const found = [];
  for (const [at, { shown, replaced, host }] of renewals.entries()) {
    if (replaced && renewals.slice(at + 1).some((later) => later.shown === shown)) {
      found.push({
        kind: "I2 again",
        what: `${host} was shown a refresh token again that it had replaced, or may have`,
      });
    }
  }
  return found;
}

function settled(ends) {
  return ends
    .filter(({ pending }) => pending.length > 0)
    .map(({ tab, pending }) => ({ kind: "I3", what: `in tab ${tab} these hang: ${pending.join(", ")}` }));
}

function toldOnce(told) {
  const found = [];
  const loads = grouped(told, ({ tab, load }) => `tab ${tab} (${load})`);
  for (const [load, reports] of loads) {
    const states = reports.filter(({ kind }) => kind === "state");
    const texts = states.map(({ value }) => JSON.stringify(value));
    texts.forEach((state, at) => {
      // While a page comes back from the back-forward cache, what it tells is lost.
      const next = at > 0 && states[at].place === states[at - 1].place + 1;
      if (next && state === texts[at - 1])
        found.push({ kind: "I4 twice", what: `${load} was told the same state twice: ${state}` });
    });
    let known;
    for (const { value } of reports.filter(({ kind }) => kind === "event")) {
      // A session of an earlier page load may end before it was shown.
      if (value.name === "signedOut" && known === false) {
        found.push({ kind: "I4 twice", what: `${load} was told that somebody is signed out who was not signed in` });
      }
      if (["signedIn", "userChanged"].includes(value.name)) known = true;
      if (value.name === "signedOut") known = false;
    }
  }
  return found;
}

function together(ends) {
  const found = [];
  for (const tabs of grouped(
    ends.filter(({ medium }) => medium),
    ({ medium }) => medium,
  ).values()) {
    const shown = new Set(tabs.map(({ who }) => who).filter((who) => who && who !== "unknown"));
    // What could not be stored, no other tab can know.
    if (shown.size > 1 && !tabs.some(({ degraded }) => degraded)) {
      found.push({ kind: "I4 apart", what: `tabs that share a medium show ${[...shown].join(" and ")}` });
    }
  }
  return found;
}

/** `Map.groupBy`, which Node 20 lacks. */
function grouped(values, keyOf) {
  const groups = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(value);
  }
  return groups;
}

function nothingAfterSignOut({ families }, requests, told) {
  const found = [];
  const familyIn = ({ authorization = "", body }) => [
    families.get(authorization.split(" ")[1]),
    families.get(members(body).refresh_token),
  ];
  for (const { tab, at, kind, value } of told) {
    if (kind !== "event" || value.name !== "signedOut" || !WISHED.includes(value.reason)) continue;
    const its = requests.filter((request) => request.tab === tab);
    const over = new Set(its.filter((request) => request.at <= at).flatMap(familyIn));
    over.delete(undefined);
    for (const request of its.filter((request) => request.at > at && request.begun > at)) {
      const { pathname } = new URL(request.url);
      // To be revoked, and to sign out at the server, it is shown once more.
      if (/revo|logout/.test(pathname)) continue;
      if (familyIn(request).some((family) => over.has(family))) {
        found.push({ kind: "I5", what: `tab ${tab} used a credential after its sign-out, at ${pathname}` });
      }
    }
  }
  return found;
}

function noStorm({ renewals, families }, requests) {
  const found = [];
  const asked = requests
    .map((request) => ({ ...request, token: members(request.body).refresh_token, path: new URL(request.url).pathname }))
    .filter(({ path, token, body }) => /\/refresh$/.test(path) || (token && !/revo|logout/.test(path) && body));
  const times = [
    ...grouped(renewals, ({ family }) => family).values(),
    // What never arrived, the tab sent nevertheless.
    ...grouped(asked, ({ token, path }) => families.get(token) ?? path).values(),
  ];
  for (const group of times) {
    group.forEach(({ at }, place) => {
      const after = group[place + MOST_A_MINUTE];
      if (after && after.at - at < MINUTE) {
        found.push({ kind: "I6", what: `more than ${MOST_A_MINUTE} token requests of one session in a minute` });
      }
    });
  }
  return found;
}

function nothingShown({ secrets }, exchanges, told, texts) {
  const found = [];
  const shown = [
    ...texts,
    ...told.map(({ tab, kind, value }) => ({ where: `a told ${kind} of tab ${tab}`, text: JSON.stringify(value) })),
  ];
  // Where a code or an ID token is handed over: to the redirect URI, and as OpenID Connect RP-Initiated Logout 1.0 §2 wants it.
  const callbacks = exchanges.map(({ location }) => location).filter((location) => location && URL.canParse(location));
  const proper = (params) => {
    for (const name of ["code", "id_token_hint"]) params.delete(name);
    return params.toString();
  };
  for (const { url, host, headers = {}, body = "" } of exchanges) {
    const address = new URL(url, "http://server");
    const isCallback = callbacks.some((location) => new URL(location).host === host) || host === undefined;
    const isEnd = address.searchParams.has("id_token_hint");
    const rest = isCallback || isEnd ? address.pathname + proper(address.searchParams) : url;
    shown.push({ where: `an address at ${host}`, text: rest, host });
    shown.push({ where: `a referrer at ${host}`, text: headers.referer ?? "" });
    for (const [value, { name, hosts }] of secrets) {
      if (!hosts.has(host) && body.includes(value)) found.push({ kind: "I7", what: `${name} was sent to ${host}` });
    }
  }
  for (const { where, text, host } of shown) {
    for (const [value, { name, hosts }] of secrets) {
      // A server may number its pages as it numbers its cookies.
      if (name === "a cookie" && hosts.has(host)) continue;
      if (text.includes(value)) found.push({ kind: "I7", what: `${name} is in ${where}` });
    }
  }
  return found;
}

function served(ends) {
  return ends
    .filter(({ state, alive, call }) => state?.status === "authenticated" && alive && call?.error?.isAuthError)
    .map(({ tab, call }) => ({
      kind: "I8",
      what: `tab ${tab} has a token that lives, and a call gets ${call.error.code}`,
    }));
}
