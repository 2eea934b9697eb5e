// Sealed media: what they hold is of no use to who copies, changes, swaps or puts it back, and the session survives a reload.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const MARK = "CANARY";
const byPassword = byName("token by password, localStorage");
const sealed = { storage: "localStorage", id: "sealed" };
const KEY = "authsafe.sealed.session";

const adapter = { kind: "custom", adapter: "indexedDB" };
const media = [
  ["sessionStorage", "sessionStorage"],
  ["localStorage", "localStorage"],
  ["cookie", "cookie"],
  ["indexedDB", "indexedDB"],
  ["an adapter", adapter],
];

/** Everything that a page of this origin can read of what is stored. */
const dump = (page) =>
  page.evaluate(async () => {
    const settled = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const table of database.objectStoreNames) {
        const store = database.transaction(table).objectStore(table);
        texts.push(JSON.stringify([await settled(store.getAllKeys()), await settled(store.getAll())]));
      }
      database.close();
    }
    return texts.join("\n");
  });

const storedText = (page) => page.evaluate((key) => localStorage.getItem(key), KEY);
const putBack = (page, text) => page.evaluate(([key, text]) => localStorage.setItem(key, text), [KEY, text]);

for (const [what, storage] of media) {
  test(`a sealed session in ${what} survives a reload in the worker, and no secret ever passes through the page`, async ({
    visit,
    liar,
    recorder,
  }) => {
    const written = [];
    const tab = await visit(byName("token by OpenID, memory"), {
      options: {
        storage,
        isolation: "required",
        oidc: { issuer: liar.issuer, clientId: "client" },
        allowedOrigins: [recorder.origin],
      },
      async before(page) {
        await page.exposeFunction("wrote", (text) => void written.push(text));
        await page.addInitScript(() => {
          const { setItem } = Storage.prototype;
          Storage.prototype.setItem = function (key, text) {
            window.wrote(`${key} ${text}`);
            return setItem.call(this, key, text);
          };
          const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
          Object.defineProperty(Document.prototype, "cookie", {
            get,
            set(text) {
              window.wrote(text);
              return set.call(this, text);
            },
          });
        });
      },
    });
    await tab.signIn(undefined, { known: true });
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    expect(await tab.page.evaluate(() => auth.isolation)).toBe("worker");
    expect(await tab.call(1, `${recorder.origin}/x`)).toEqual([200]);
    expect(recorder.requests[0].authorization).toContain(`${MARK}-access-`);
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.events("storageDegraded")).toEqual([]);

    const everything = `${await dump(tab.page)}\n${written.join("\n")}`;
    expect(everything).toContain('"ct\\":');
    expect(liar.secrets.size).toBeGreaterThan(8);
    const found = [MARK, ...liar.secrets].filter((secret) => everything.includes(secret));
    expect(found).toEqual([]);
  });
}

test("an older record that is put back is refused, and the next sign-in is a whole one", async ({ visit }) => {
  const tab = await visit(byPassword, { options: sealed });
  await tab.signIn();
  const older = await storedText(tab.page);
  expect(await tab.refresh()).toEqual({ value: "authenticated" });
  await putBack(tab.page, older);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
  expect(await storedText(tab.page)).toBeNull();
  await tab.signIn();
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
  await putBack(tab.page, older);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
});

test("a record that is put back after the sign-out opens no session", async ({ visit }) => {
  const tab = await visit(byPassword, { options: sealed });
  await tab.signIn();
  const last = await storedText(tab.page);
  expect(await tab.logout()).toEqual({});
  await putBack(tab.page, last);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
});

test("the record of one client is refused by another one, whose own sign-in and that of the first go on", async ({
  visit,
}) => {
  const [first, second] = [
    await visit(byPassword, { options: { ...sealed, id: "first" } }),
    await visit(byPassword, { options: { ...sealed, id: "second" } }),
  ];
  await first.signIn();
  await second.signIn();
  await second.page.evaluate(() =>
    localStorage.setItem("authsafe.second.session", localStorage.getItem("authsafe.first.session")),
  );
  expect((await second.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
  expect((await first.reload()).state).toMatchObject({ status: "authenticated" });
  await second.signIn();
  expect((await second.reload()).state).toMatchObject({ status: "authenticated" });
});

test("tabs share a sealed session: each reads what another has renewed, and all are signed out together", async ({
  visit,
}) => {
  const [first, second] = [await visit(byPassword, { options: sealed }), await visit(byPassword, { options: sealed })];
  await first.signIn();
  await second.becomes({ status: "authenticated" });
  for (const tab of [first, second, first]) expect(await tab.refresh()).toEqual({ value: "authenticated" });
  expect(await Promise.all([first.refresh(), second.refresh()])).toEqual(Array(2).fill({ value: "authenticated" }));
  for (const tab of [first, second]) {
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
    expect(await tab.call()).toEqual([200]);
  }
  expect(await first.logout()).toEqual({});
  await second.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
  expect((await second.reload()).state).toMatchObject({ status: "unauthenticated" });
});

test("F25 a browser that loses the key signs out with a reason, and the next sign-in gets a new one", async ({
  visit,
}) => {
  const tab = await visit(byPassword, { options: sealed });
  await tab.signIn();
  await tab.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase("authsafe");
        request.onsuccess = resolve;
        request.onerror = request.onblocked = reject;
      }),
  );
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
  await tab.signIn();
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
});

for (const isolation of ["required", "page"]) {
  const without = (how) => async (page) => {
    await page.addInitScript((how) => {
      window.databaseFault = how;
      window.workerSource = `/bare/worker-without-database.js?how=${how}`;
    }, how);
    await page.addInitScript({ path: new URL("pages/no-database.js", import.meta.url).pathname });
  };
  for (const how of ["denied", "full", "mute"]) {
    test(`a sign-in by redirect succeeds where no key can be had for what is pending (${how}, ${isolation})`, async ({
      visit,
    }) => {
      const tab = await visit(byName("token by OpenID, memory"), { options: { isolation }, before: without(how) });
      await tab.signIn();
      expect(await tab.state()).toMatchObject({ status: "authenticated" });
      expect(await tab.call()).toEqual([200]);
    });
  }
  for (const name of ["token by OpenID, localStorage", "token by password, localStorage"]) {
    test(`without a database for the key the session lives in memory, and that is told (${name}, ${isolation})`, async ({
      visit,
    }) => {
      const tab = await visit(byName(name), { options: { ...sealed, isolation }, before: without("denied") });
      await tab.signIn();
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh" });
      expect(await tab.events("storageDegraded")).toMatchObject([
        { wanted: "localStorage", using: "memory", cause: "blocked" },
      ]);
      expect(await storedText(tab.page)).toBeNull();
      expect(await tab.call()).toEqual([200]);
      expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
    });
  }
}

/** The record of the case that is kept in sessionStorage. */
const sessionText = (tab) =>
  tab.page.evaluate(() => sessionStorage.getItem("authsafe.e2e-token-by-OpenID-sessionStorage.session"));

/** What the browser makes when the user duplicates a tab: another one that begins with a copy of its sessionStorage. */
async function duplicate(visit, tab, one, options) {
  const texts = await tab.page.evaluate(() => ({ ...sessionStorage }));
  return visit(one, {
    options,
    before: (page) =>
      page.addInitScript((texts) => {
        if (window.name) return;
        window.name = "begun";
        for (const [key, text] of Object.entries(texts)) sessionStorage.setItem(key, text);
      }, texts),
  });
}

test("a duplicated tab that renews keeps its session, and the original does not take it", async ({ visit }) => {
  const one = byName("token by OpenID, sessionStorage");
  const options = { storage: "sessionStorage" };
  const original = await visit(one, { options });
  await original.signIn();
  const copy = await duplicate(visit, original, one, options);
  expect(await copy.state()).toMatchObject({ status: "authenticated" });
  const before = await sessionText(original);
  expect(await copy.refresh()).toEqual({ value: "authenticated" });
  // It is told that its token is spent, and writes what is left to it.
  await expect.poll(() => sessionText(original)).not.toBe(before);
  expect(await original.refresh()).toMatchObject({ error: { code: "refresh_unavailable" } });
  for (let loads = 0; loads < 2; loads++) {
    expect((await copy.reload()).state).toMatchObject({ status: "authenticated" });
    expect(await copy.refresh()).toEqual({ value: "authenticated" });
  }
  expect((await original.reload()).state).toMatchObject({ status: "authenticated" });
  for (const tab of [original, copy]) expect(await tab.call()).toEqual([200]);
});

test("each tab takes its own plain record of before over, and seals it at once", async ({ visit }) => {
  const one = byName("token by OpenID, sessionStorage");
  const tabs = [await visit(one), await visit(one)];
  await tabs[0].signIn();
  await tabs[1].signIn(undefined, { known: true });
  for (const tab of tabs) {
    expect(await sessionText(tab)).toContain('"v":1,');
    // The next version of the application is deployed.
    await tab.page.addInitScript(() => (window.authOptions = { ...window.authOptions, storage: "sessionStorage" }));
  }
  for (const tab of tabs) {
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
    expect(await sessionText(tab)).toContain('"v":2,');
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
    expect(await tab.call()).toEqual([200]);
  }
});

test("a plain record of before is taken over once, and none after it", async ({ visit }) => {
  const plain = { ...sealed, storage: { kind: "localStorage", dangerouslyPlaintext: true } };
  const before = await visit(byPassword, { options: plain });
  await before.signIn();
  const record = await storedText(before.page);
  expect(record).toContain("access");
  await before.close();
  const tab = await visit(byPassword, { options: sealed });
  expect(await tab.state()).toMatchObject({ status: "authenticated" });
  expect(await storedText(tab.page)).not.toContain("access");
  expect(await tab.refresh()).toEqual({ value: "authenticated" });
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
  await putBack(tab.page, record);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
});
