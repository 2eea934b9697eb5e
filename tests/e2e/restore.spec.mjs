// A reload that finds nothing stored asks the provider, once, and is back before the user has done anything.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const one = byName("token by OpenID, memory");
const auto = { options: { restore: "auto" } };

/** Counts how often the page leaves for the provider. */
async function departures(page, servers) {
  const seen = [];
  await page.route(`${servers.config.issuer}/auth?**`, (route) => {
    seen.push(new URL(route.request().url()).searchParams.get("prompt"));
    return route.continue();
  });
  return seen;
}

test("tokens in memory are gone after a reload, and the provider gives new ones without a question", async ({
  visit,
  servers,
}) => {
  const tab = await visit(one, auto);
  await tab.signIn();
  const seen = await departures(tab.page, servers);
  await tab.page.goto(`${tab.address}?page=2#top`);
  const { state, callback } = await tab.started();
  expect(state).toMatchObject({ status: "authenticated" });
  expect(callback).toMatchObject({ returnTo: "/bare/?page=2#top" });
  expect(await tab.call()).toEqual([200]);
  expect(seen).toEqual(["none"]);
});

test("F47 where the provider has forgotten the user, the page comes back to where it was and asks no more", async ({
  visit,
  context,
  servers,
}) => {
  const tab = await visit(one, auto);
  await tab.signIn();
  await context.clearCookies();
  const seen = await departures(tab.page, servers);
  const place = `${tab.address}?page=2`;
  await tab.page.goto(place);
  const back = (place) => location.href === place && window.auth?.getState().status === "unauthenticated";
  await tab.page.waitForFunction(back, place);
  expect(await tab.state()).toMatchObject({ reason: "never" });
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "never" });
  expect(seen).toEqual(["none"]);
});

test("F48 asking the provider opens no frame and no window, and a page that is in a frame does not ask", async ({
  visit,
  context,
  servers,
}) => {
  const tab = await visit(one, auto);
  await tab.signIn();
  const opened = [];
  tab.page.on("frameattached", (frame) => opened.push(`a frame of ${frame.parentFrame().url()}`));
  context.on("page", (page) => opened.push(`a window of ${page.url()}`));
  const seen = await departures(tab.page, servers);
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
  expect([seen, opened]).toEqual([["none"], []]);

  // The application itself, in a frame of its own origin; its core is loaded, and it has said what it found.
  await tab.page.goto(`${servers.config.pageUrl}/bare/adapters.js`);
  await tab.page.evaluate((address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
  }, tab.address);
  await expect.poll(() => tab.page.frames().length).toBe(2);
  const [, framed] = tab.page.frames();
  await framed.waitForFunction(() => window.started);
  expect(await framed.evaluate(() => window.auth.getState())).toMatchObject({ status: "unauthenticated" });
  expect(seen).toEqual(["none"]);
});

test("after a sign-out a reload asks nobody", async ({ visit, servers }) => {
  const tab = await visit(one, auto);
  await tab.signIn();
  await tab.logout();
  const seen = await departures(tab.page, servers);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
  expect(seen).toEqual([]);
});
