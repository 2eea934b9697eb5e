// The checker that follows every test finds what it is for: in observations that are made up, and in a browser where a test does
// what the library must not do.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { KINDS, MOST_A_MINUTE, violations } from "./support/invariants.mjs";

const PROVIDER = "provider.example";
const oidc = byName("token by OpenID, memory");

/** An exchange at the token endpoint. */
function renewal(shown, answer, changed) {
  const body = `grant_type=refresh_token&refresh_token=${shown}`;
  const common = { method: "POST", url: "/token", host: PROVIDER, status: 200, at: 1000, until: 1010 };
  return { ...common, body, answer: JSON.stringify(answer), ...changed };
}
const given = (number) => ({ access_token: `access-token-${number}`, refresh_token: `refresh-token-${number}` });
const refused = { error: "invalid_grant" };
const codeExchange = {
  ...renewal("", given(1), { at: 0, until: 10 }),
  body: "grant_type=authorization_code&code=a-code-of-old&code_verifier=a-verifier-of-old",
};
/** What is honest: a sign-in, and two renewals one after the other. */
const honest = [
  codeExchange,
  renewal("refresh-token-1", given(2)),
  renewal("refresh-token-2", given(3), { at: 2000, until: 2010 }),
];
const event = (name, detail) => ({
  tab: 1,
  load: "a",
  at: 3000,
  kind: "event",
  value: { name, mode: "token", ...detail },
});
const state = (value, place = 1) => ({ tab: 1, load: "a", place, at: 3000, kind: "state", value });
const alice = { status: "authenticated", user: { name: "Alice" } };
const end = (about) => ({ tab: 1, mode: "token", pending: [], state: alice, ...about });
const request = (about) => ({ tab: 1, at: 100, begun: 100, url: "https://api.example/hello", body: "", ...about });
const use = (about) => request({ authorization: "Bearer access-token-1", ...about });
const expired = { error: { code: "session_expired", isAuthError: true } };
const loggedOut = event("signedOut", { reason: "logged_out" });

/** What is wrong, and its kind. */
const wrong = {
  "a tab that shows somebody whose token the server takes no more": ["I1", { ends: [end({ renewal: expired })] }],
  "a session that ended though no server had refused it": ["I1", { told: [event("signedOut", { reason: "expired" })] }],
  "nobody, for no reason": ["I1", { told: [state({ status: "unauthenticated" })] }],
  "two renewals at once": [
    "I2 at once",
    {
      exchanges: [
        codeExchange,
        renewal("refresh-token-1", refused),
        renewal("refresh-token-1", given(2), { at: 1005 }),
      ],
    },
  ],
  "a refresh token that is shown again after it was replaced": [
    "I2 again",
    { exchanges: [...honest, renewal("refresh-token-1", refused, { at: 9000, until: 9010 })] },
  ],
  "a refresh token that is shown again after nobody heard the answer": [
    "I2 again",
    { exchanges: [renewal("a", {}, { finished: false }), renewal("a", given(2), { at: 9000, until: 9010 })] },
  ],
  "a promise that hangs": ["I3", { ends: [end({ pending: ["() => auth.refresh()"] })] }],
  "the same state twice": ["I4 twice", { told: [state(alice), state(alice, 2)] }],
  "an end after an end": ["I4 twice", { exchanges: [renewal("a", refused)], told: [loggedOut, loggedOut] }],
  "tabs that show different users of one session": [
    "I4 apart",
    { ends: ["alice", "bob"].map((who, at) => end({ tab: at + 1, medium: "indexedDB app", who })) },
  ],
  "a call with the access token after the sign-out": [
    "I5",
    { requests: [use(), use({ at: 4000, begun: 4000 })], told: [loggedOut] },
  ],
  "a renewal after the sign-out": [
    "I5",
    {
      requests: [use(), request({ at: 4000, begun: 4000, url: "https://p.example/token", body: honest[1].body })],
      told: [event("signedOut", { reason: "idle" })],
    },
  ],
  "a storm that arrives": [
    "I6",
    {
      exchanges: Array.from({ length: MOST_A_MINUTE + 1 }, (_, at) =>
        renewal("a", { error: "server_error" }, { status: 503, at: at * 20, until: at * 20 + 10 }),
      ),
    },
  ],
  "a storm that never arrives": [
    "I6",
    {
      requests: Array.from({ length: MOST_A_MINUTE + 1 }, (_, at) =>
        request({ at, begun: at, url: "https://p.example/token", body: honest[1].body }),
      ),
    },
  ],
  "an access token in the console": ["I7", { texts: [{ where: "the console", text: "got access-token-2" }] }],
  "a refresh token in an error": ["I7", { told: [{ ...state({ text: ["refresh-token-1"] }), kind: "error" }] }],
  "an access token in a state": ["I7", { told: [state({ ...alice, token: "access-token-3" })] }],
  "a verifier in an address": [
    "I7",
    { exchanges: [...honest, { method: "GET", host: "page.example", url: "/?v=a-verifier-of-old" }] },
  ],
  "a code in an address that is no callback": [
    "I7",
    { exchanges: [...honest, { method: "GET", host: "api.example", url: "/?code=a-code-of-old" }] },
  ],
  "an access token in a referrer": [
    "I7",
    {
      exchanges: [
        ...honest,
        { method: "GET", host: "api.example", url: "/", headers: { referer: "https://p.example/?t=access-token-1" } },
      ],
    },
  ],
  "a refresh token in a body for somebody else": [
    "I7",
    { exchanges: [...honest, { method: "POST", host: "thief.example", url: "/", body: "loot=refresh-token-2" }] },
  ],
  "a call that fails though its token lives": ["I8", { ends: [end({ alive: true, call: expired })] }],
};

for (const [what, [kind, seen]] of Object.entries(wrong)) {
  test(`${what} is found, as ${kind}`, () => {
    expect(violations({ exchanges: honest, ...seen }).map((one) => one.kind)).toEqual([kind]);
  });
}

test("nothing is found in what is honest", () => {
  const callback = "https://page.example/callback?code=a-code-of-old&state=x";
  const exchanges = [
    { method: "GET", host: PROVIDER, url: "/authorize", status: 302, location: callback },
    { method: "GET", host: "page.example", url: "/callback?code=a-code-of-old&state=x" },
    ...honest,
    // What is refused before anything is redeemed comes again; and so does what the server could not answer.
    renewal("refresh-token-3", { error: "use_dpop_nonce" }, { status: 400, at: 3000, until: 3010 }),
    renewal("refresh-token-3", { error: "busy" }, { status: 503, at: 3020, until: 3030 }),
    renewal("refresh-token-3", given(4), { at: 3040, until: 3050 }),
    { ...renewal("", {}, { url: "/revoke", at: 4000, until: 4010 }), body: "token=refresh-token-4" },
    { method: "GET", host: PROVIDER, url: "/end?id_token_hint=an-id-token" },
  ];
  const told = [
    state({ status: "initializing" }),
    state({ status: "unauthenticated", reason: "never" }, 2),
    state(alice, 3),
    // One in between was lost.
    state(alice, 5),
    event("signedIn"),
    loggedOut,
    event("signedIn"),
    event("signedOut", { reason: "idle" }),
  ];
  const requests = [
    use(),
    // A request that was on its way, or held back, and one that takes the token back.
    use({ at: 2990, begun: 4000 }),
    use({ at: 4000, begun: 2990 }),
    request({ at: 4000, begun: 4000, url: "https://p.example/token/revocation", body: "token=refresh-token-1" }),
    use({ at: 4000, begun: 4000, authorization: "Bearer of-the-next-session" }),
  ];
  const call = { value: 200 };
  const ends = [end({ alive: true, call, renewal: { value: "authenticated" } }), end({ alive: false, call: expired })];
  expect(violations({ exchanges, told, requests, ends, texts: [{ where: "the console", text: "signed in" }] })).toEqual(
    [],
  );
});

test("every kind has something that is wrong in that way", () => {
  expect(new Set(Object.values(wrong).map(([kind]) => kind))).toEqual(new Set(Object.keys(KINDS)));
});

// Each of these declares what it does, and would fail if the checker saw nothing of it.
const exposed = { options: { exposeAccessToken: true, isolation: "page" } };

test("in a browser, a refresh token that is used behind the back of the library is seen, and what it costs", async ({
  invariants,
  servers,
  visit,
}) => {
  invariants.breaks("I1", "the test uses the token up, and the tab has not noticed");
  invariants.breaks("I2 again", "the tab has still the token that the test has used");
  const tab = await visit(byName("token by password, localStorage"));
  await tab.signIn();
  const used = await tab.page.evaluate(async () => {
    const key = Object.keys(localStorage).find((name) => name.endsWith(".session"));
    const [token] = /(?<="refresh(?:_token|Token)?":")[^"]+/.exec(localStorage.getItem(key)) ?? [];
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/auth/refresh", {
      method: "POST",
      headers,
      body: JSON.stringify({ refresh_token: token }),
    });
    return answer.status;
  });
  expect(used).toBe(200);
  expect(servers.firstParty.stats.refreshes).toBeGreaterThan(0);
});

test("in a browser, a promise that hangs, a state that is told twice and a token in the console are seen", async ({
  invariants,
  visit,
}) => {
  invariants.breaks("I3", "the test begins what does not end");
  invariants.breaks("I4 twice", "the test tells a state twice");
  invariants.breaks("I7", "the test logs a token");
  const tab = await visit(oidc, exposed);
  await tab.signIn();
  await tab.page.evaluate(async () => {
    void window.attempt(() => new Promise(() => {}));
    for (let time = 0; time < 2; time++) window.tellChecker("twice", time, "state", '{"status":"initializing"}');
    console.log(await window.auth.getAccessToken());
  });
});

test("in a browser, a token that is used after the sign-out, and a storm, are seen", async ({
  invariants,
  servers,
  visit,
}) => {
  invariants.breaks("I5", "the test keeps a token beyond the sign-out");
  invariants.breaks("I6", "the test asks again and again");
  const tab = await visit(oidc, exposed);
  await tab.signIn();
  expect(await tab.call()).toEqual([200]);
  const { value: token } = await tab.attempt("() => auth.getAccessToken()");
  expect(await tab.logout()).toEqual({});
  await tab.page.evaluate(
    async ({ token, api, provider, most }) => {
      await (await fetch(api, { headers: { authorization: `Bearer ${token}` } })).text();
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "made-up", client_id: "x" });
      for (let time = 0; time <= most; time++) await (await fetch(provider, { method: "POST", body })).text();
    },
    { token, api: tab.resource, provider: `${servers.config.issuer}/token`, most: MOST_A_MINUTE },
  );
});

test("in a browser, a call that fails though its token lives, and two requests at once, are seen", async ({
  invariants,
  servers,
  visit,
}) => {
  invariants.breaks("I8", "the test takes the way to the API out of the library");
  invariants.breaks("I2 at once", "the test asks twice at once");
  const tab = await visit(byName("token by password, memory"));
  await tab.signIn();
  // The first one is answered when the second one has come.
  const waiting = [];
  servers.hooks.onTokenRequest = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const answer of waiting) answer();
    });
  await tab.page.evaluate(async (provider) => {
    const body = () =>
      new URLSearchParams({ grant_type: "refresh_token", refresh_token: "made-up-too", client_id: "x" });
    await Promise.all([1, 2].map(async () => (await fetch(provider, { method: "POST", body: body() })).text()));
    const real = window.auth;
    window.auth = {
      ...real,
      fetch: () => real.getAccessToken(),
      refresh: () => real.refresh(),
      getState: () => real.getState(),
    };
  }, `${servers.config.issuer}/token`);
});

test("in a browser, what is not declared fails a test", async ({ invariants, visit }) => {
  const tab = await visit(oidc, exposed);
  await tab.signIn();
  await tab.page.evaluate(async () => console.log(await window.auth.getAccessToken()));
  await expect(invariants.check()).rejects.toThrow("I7: an access_token is in the console");
});

test("in a browser, what is declared and does not happen fails a test", async ({ invariants, visit }) => {
  expect(() => invariants.breaks("I9", "there is none")).toThrow("cannot be declared");
  expect(() => invariants.breaks("I7", "")).toThrow("cannot be declared");
  invariants.mayBreak("I3", "it may hang");
  invariants.breaks("I6", "it was to ask again and again");
  const tab = await visit(oidc);
  await tab.signIn();
  await expect(invariants.check()).rejects.toThrow("I6 was declared (it was to ask again and again), and it held");
});
