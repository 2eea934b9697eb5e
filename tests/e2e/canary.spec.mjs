// No secret shows where it has no business: secrets with a mark in them are planted, and the mark is looked for.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const MARK = "CANARY";
const one = byName("token by OpenID, memory");

/** Keeps every line of the console, and every message that the other tabs of the origin can overhear. */
async function eavesdrop(context, config, id) {
  const heard = [];
  context.on("console", (message) => heard.push(`console: ${message.text()}`));
  context.on("weberror", (webError) => heard.push(`uncaught: ${webError.error().stack}`));
  const page = await context.newPage();
  await page.goto(`${config.pageUrl}/bare/`);
  await page.evaluate((name) => {
    window.overheard = [];
    new BroadcastChannel(name).onmessage = ({ data }) => window.overheard.push(data);
    addEventListener("storage", ({ key, newValue }) => window.overheard.push([key, newValue]));
  }, `authsafe.${id}`);
  return { heard, overheard: () => page.evaluate(() => window.overheard) };
}

/** What script of the page can find in the open. */
function inTheOpen(page) {
  return page.evaluate(async () => ({
    title: document.title,
    address: location.href,
    history: JSON.stringify(history.state),
    name: window.name,
    referrer: document.referrer,
    markup: document.documentElement.outerHTML,
    localStorage: { ...localStorage },
    sessionStorage: { ...sessionStorage },
    cookies: document.cookie,
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    // The page's own address as the provider wrote it stands in its navigation entry; the code in it is spent.
    requests: performance.getEntriesByType("resource").map(({ name }) => name),
    record: window.record,
    state: window.auth.getState(),
    client: Object.entries(window.auth).map(([name, value]) => `${name}: ${value}`),
    globals: Object.keys(window),
  }));
}

const describeError = `async (work) => {
  try { await work(); } catch (error) {
    return [error.stack, error.message, String(error), JSON.stringify(error), JSON.stringify(error.toJSON()),
      JSON.stringify(Object.getOwnPropertyDescriptors(error)), String(error.cause)];
  }
  throw new Error("it did not fail");
}`;

test("tokens, codes and verifiers show nowhere while they are used and while things fail", async ({
  visit,
  liar,
  recorder,
  context,
  invariants,
  servers,
}) => {
  invariants.breaks("I2 again", "a refresh token in an answer that is none is not taken");
  const { heard, overheard } = await eavesdrop(context, servers.config, "canary");
  const options = {
    id: "canary",
    logger: "debug",
    exposeAccessToken: true,
    oidc: { issuer: liar.issuer, clientId: "client" },
    allowedOrigins: [recorder.origin],
  };
  const found = [];
  const tab = await visit(one, { options });
  const search = async (when) => {
    const text = JSON.stringify(await inTheOpen(tab.page));
    for (const secret of [MARK, ...liar.secrets]) if (text.includes(secret)) found.push(`${secret} ${when}`);
  };
  const failing = async (call, lie) => {
    liar.lies.token = lie;
    const texts = await tab.page.evaluate(`(${describeError})(() => ${call})`);
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) if (text.includes(MARK)) found.push(`${text} after ${call}`);
    delete liar.lies.token;
    await search(`after ${call}`);
  };

  await tab.signIn(undefined, { known: true });
  expect(await tab.state()).toMatchObject({ status: "authenticated" });
  await search("after the sign-in");
  expect(await tab.call(3, `${recorder.origin}/x`)).toEqual([200, 200, 200]);
  // The secrets are really in use: otherwise there would be nothing to find.
  expect(recorder.requests[0].authorization).toContain(`${MARK}-access-`);
  expect(await tab.refresh()).toEqual({ value: "authenticated" });
  await search("after a renewal");

  const refresh = "auth.refresh()";
  await failing(refresh, (honest, { json }) => json({ ...honest, token_type: honest.access_token }));
  await failing(refresh, (honest, { json }) => json({ ...honest, token_type: undefined }));
  await failing(refresh, (honest) => ({ status: 200, type: "text/html", body: JSON.stringify(honest) }));
  await failing(refresh, (honest, { json }) => ({ ...json(honest), body: JSON.stringify(honest).slice(0, -1) }));
  await failing(refresh, (honest, { json }) => json({ ...honest, expires_in: { at: honest.refresh_token } }));
  await failing(refresh, (honest, { json }) => json({ ...honest, id_token: honest.refresh_token }));
  await failing(refresh, (honest, { json }) => json({ ...honest, large: honest.access_token.repeat(30_000) }));
  await failing(`auth.fetch("${recorder.origin}", { headers: { authorization: "x" } })`);
  expect((await tab.attempt("() => auth.getAccessToken()")).value).toContain(MARK);
  expect(await tab.logout()).toEqual({});
  await search("after the sign-out");
  await failing(refresh);

  // A sign-in that fails at each step, too.
  liar.lies.token = (honest, { json, idToken }) =>
    json({ ...honest, id_token: idToken({ nonce: honest.access_token }) });
  const refused = await tab.signIn(undefined, { known: true });
  expect(refused.error).toMatchObject({ code: "id_token_invalid" });
  if (JSON.stringify(refused).includes(MARK)) found.push("the result of a refused sign-in");
  await search("after a refused sign-in");

  const messages = await overheard();
  expect(messages.length).toBeGreaterThan(0);
  for (const secret of [MARK, ...liar.secrets]) {
    if (JSON.stringify([heard, messages]).includes(secret)) found.push(`${secret} in the console or a message`);
  }
  expect(heard.length).toBeGreaterThan(0);
  expect(liar.secrets.size).toBeGreaterThan(20);
  expect(found).toEqual([]);
});

test("a password shows nowhere but in the one request that carries it", async ({ visit, context, servers }) => {
  for (const name of ["token by password, localStorage", "session, synchronizer"]) {
    const { heard, overheard } = await eavesdrop(context, servers.config, "canary");
    const tab = await visit(byName(name), { options: { id: "canary", logger: "debug" } });
    const login = `auth.login({ via: "password", username: "alice", password: "${MARK}" })`;
    const texts = await tab.page.evaluate(`(${describeError})(() => ${login})`);
    const open = await inTheOpen(tab.page);
    expect(JSON.stringify([texts, open, heard, await overheard()])).not.toContain(MARK);
  }
});

test("with plain text in localStorage the tokens are there, and nowhere else", async ({
  visit,
  liar,
  context,
  servers,
}) => {
  const { heard, overheard } = await eavesdrop(context, servers.config, "canary");
  const tab = await visit(byName("token by OpenID, localStorage"), {
    options: { id: "canary", logger: "debug", oidc: { issuer: liar.issuer, clientId: "client" } },
  });
  await tab.signIn(undefined, { known: true });
  await tab.refresh();
  const { localStorage, ...rest } = await inTheOpen(tab.page);
  expect(JSON.stringify(localStorage)).toContain(`${MARK}-refresh-`);
  // The other tab sees the medium by its own right, as `describeStorage` says; what it is told is looked at here.
  const messages = (await overheard()).filter((message) => typeof message === "string");
  expect(messages.length).toBeGreaterThan(0);
  expect(JSON.stringify([rest, heard, messages])).not.toContain(MARK);
  expect(await tab.logout()).toEqual({});
  expect(JSON.stringify(await inTheOpen(tab.page))).not.toContain(MARK);
});
