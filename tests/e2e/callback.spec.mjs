// The way back from the provider: taken once, by whom it belongs to, and from an honest answer only.
import { byName, cases } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

const inMemory = byName("token by OpenID, memory");
const inLocalStorage = byName("token by OpenID, localStorage");

/** Signs in and gives back the address of the callback as the provider wrote it. */
async function signInAndSeeCallback(tab) {
  const callback = tab.page.waitForRequest((request) => new URL(request.url()).searchParams.has("code"));
  await tab.signIn();
  return (await callback).url();
}

for (const one of cases.filter(({ kind }) => kind === "oidc")) {
  test(`a callback that is opened twice signs nobody in the second time (${one.name})`, async ({ visit, servers }) => {
    const tab = await visit(one);
    const address = await signInAndSeeCallback(tab);
    const exchanges = servers.provider.stats.tokenRequests.authorization_code;
    const { state, error, callback } = await tab.open(address);
    if (one.survives) {
      // What it was for is done.
      expect(error).toBeUndefined();
    } else {
      expect(error).toMatchObject({ code: "callback_replayed", phase: "callback", recovery: "login" });
      expect(error.hint).toMatch(/./);
    }
    expect(callback).toBeUndefined();
    expect(state.status).toBe(one.survives ? "authenticated" : "unauthenticated");
    expect(new URL(tab.page.url()).search).toBe("");
    expect(servers.provider.stats.tokenRequests.authorization_code).toBe(exchanges);
    if (!one.survives) expect((await tab.signIn(ALICE, { known: true })).state.status).toBe("authenticated");
    expect(await tab.call()).toEqual([200]);
  });
}

for (const one of cases) {
  test(`a callback that is somebody else's is left alone, in the address and in the state (${one.name})`, async ({
    visit,
    servers,
  }) => {
    const tab = await visit(one);
    const foreign = async (queries) => {
      const found = [];
      for (const query of queries) {
        const address = `${servers.config.pageUrl}/bare/${query}#fragment`;
        const { state, error } = await tab.open(address);
        expect(error).toBeUndefined();
        expect(state.error).toBeUndefined();
        expect(tab.page.url()).toBe(address);
        found.push(state.status);
      }
      return found;
    };
    const queries = ["?code=abc&state=of-another-library", "?error=access_denied&state=other", "?code=only"];
    expect(await foreign(queries)).toEqual(Array(3).fill("unauthenticated"));
    await tab.open();
    await tab.signIn();
    expect(await foreign(queries.slice(0, 1))).toEqual([one.survives ? "authenticated" : "unauthenticated"]);
    if (one.survives) expect(await tab.call()).toEqual([200]);
  });
}

test("a callback opened in another browser is left alone", async ({ visit, browser }) => {
  const tab = await visit(inMemory);
  const address = await signInAndSeeCallback(tab);
  const stranger = await browser.newContext();
  const { state, error } = await visit(inMemory, { page: await stranger.newPage() }).then((other) =>
    other.open(address),
  );
  expect({ state, error }).toMatchObject({ state: { status: "unauthenticated", reason: "never" }, error: undefined });
  await stranger.close();
});

test("a person who cancels at the provider is told so, and may sign in after all", async ({ visit }) => {
  const tab = await visit(inMemory);
  await tab.leave();
  await tab.page.getByRole("button", { name: "Cancel" }).click();
  const { state, error } = await tab.started();
  expect(error).toMatchObject({ code: "access_denied", phase: "callback", oauth: { error: "access_denied" } });
  expect(error.hint).toMatch(/./);
  expect(state).toMatchObject({ status: "unauthenticated", error: { code: "access_denied" } });
  expect(new URL(tab.page.url()).search).toBe("");
  expect((await tab.signIn()).state).toMatchObject({ status: "authenticated" });
});

test("a person who cancels keeps the session of before", async ({ visit, context }) => {
  const tab = await visit(inLocalStorage);
  await tab.signIn();
  await tab.leave({ authorizationParams: { prompt: "login" } });
  await tab.page.getByRole("button", { name: "Cancel" }).click();
  const { state, error } = await tab.started();
  expect(error).toMatchObject({ code: "access_denied" });
  expect(state).toMatchObject({ status: "authenticated", user: { name: ALICE.name } });
  expect(await tab.call()).toEqual([200]);
  expect(context.pages()).toHaveLength(1);
});

test("a person who comes back by the Back button is signed out as before, and may begin again", async ({ visit }) => {
  const tab = await visit(inMemory);
  await tab.leave();
  await expect(tab.page.getByLabel("User name")).toBeVisible();
  await tab.page.goBack();
  // From the back/forward cache the page comes with the memory it was left with; otherwise it is loaded anew.
  await tab.page.evaluate(() => (window.leaving = false));
  await tab.started();
  await tab.becomes({ status: "unauthenticated" });
  expect((await tab.signIn()).state).toMatchObject({ status: "authenticated" });
});

test("two sign-ins that were begun in two tabs both come to their end", async ({ visit }) => {
  const [first, second] = [await visit(inLocalStorage), await visit(inLocalStorage)];
  await first.leave();
  await second.leave();
  await first.typePassword(ALICE);
  expect((await first.started()).state).toMatchObject({ status: "authenticated" });
  await second.typePassword(ALICE);
  expect((await second.started()).state).toMatchObject({ status: "authenticated" });
  expect([await first.call(), await second.call()]).toEqual([[200], [200]]);
});

test("signing out at the provider revokes the tokens there and ends the provider's session", async ({
  visit,
  servers,
}) => {
  const tab = await visit(inLocalStorage);
  await tab.signIn();
  const { events } = servers.provider.stats;
  const before = events.length;
  await tab.page.evaluate(() => {
    window.leaving = true;
    void window.auth.logout({ scope: "provider" });
  });
  const { state } = await tab.started();
  expect(state).toMatchObject({ status: "unauthenticated" });
  const types = events.slice(before).map(({ type }) => type);
  expect(types).toContain("grant_revoked");
  expect(types).toContain("end_session");
  await tab.leave();
  await expect(tab.page.getByLabel("Password")).toBeVisible();
});
