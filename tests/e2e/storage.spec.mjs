// Media that are blocked, full, broken or tampered with: the session goes on in memory, and an event says so.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const block = (name) => (page) =>
  page.addInitScript((name) => {
    const deny = () => {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    };
    Object.defineProperty(window, name, { get: deny });
  }, name);
const blockCookies = (page) =>
  page.addInitScript(() => {
    const deny = () => {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    };
    Object.defineProperty(Document.prototype, "cookie", { get: deny, set: deny });
  });
const sessionStorageOption = { kind: "sessionStorage", dangerouslyPlaintext: true };
const brokenAdapter = { kind: "custom", adapter: "broken", dangerouslyPlaintext: true };

for (const [what, name, wanted, before, options] of [
  ["a blocked localStorage", "token by OpenID, localStorage", "localStorage", block("localStorage")],
  ["a blocked localStorage", "token by password, localStorage", "localStorage", block("localStorage")],
  [
    "a blocked sessionStorage",
    "token by password, memory",
    "sessionStorage",
    block("sessionStorage"),
    sessionStorageOption,
  ],
  ["blocked cookies", "token by OpenID, cookie", "cookie", blockCookies],
  ["an adapter that throws", "token by OpenID, custom adapter", "custom", undefined, brokenAdapter],
]) {
  test(`${what} is told once, and the sign-in works in memory (${name})`, async ({ visit }) => {
    const tab = await visit(byName(name), { before, options: options && { storage: options } });
    await tab.signIn();
    expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh" });
    expect(await tab.events("storageDegraded")).toMatchObject([{ wanted, using: "memory" }]);
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.call()).toEqual([200]);
    expect(await tab.events("storageDegraded")).toHaveLength(1);
    expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated", reason: "never" });
  });
}

for (const [name, form, options] of [
  ["token by OpenID, localStorage", "plain"],
  ["token by password, localStorage", "plain"],
  ["token by password, localStorage", "sealed", { storage: "localStorage" }],
]) {
  test(`a full localStorage is told, and the sign-in works in memory (${name}, ${form})`, async ({ visit }) => {
    const tab = await visit(byName(name), {
      options,
      before: (page) =>
        page.addInitScript(() => {
          // As full as it can be, by the browser's own judgement.
          for (let size = 4_000_000; size >= 1; size = Math.floor(size / 2)) {
            try {
              for (let at = 0; ; at++) localStorage.setItem(`fill-${size}-${at}`, "x".repeat(size));
            } catch {
              // The next smaller piece may still fit.
            }
          }
        }),
    });
    await tab.signIn();
    expect(await tab.state()).toMatchObject({ status: "authenticated" });
    expect(await tab.events("storageDegraded")).toMatchObject([
      { wanted: "localStorage", using: "memory", cause: "full" },
    ]);
    expect(await tab.call()).toEqual([200]);
    expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
  });
}

test("a sign-in by redirect that cannot remember itself is refused, and the page keeps working", async ({ visit }) => {
  const tab = await visit(byName("token by OpenID, memory"), { before: block("sessionStorage") });
  const { error } = await tab.attempt("() => auth.login({ via: 'redirect' })");
  expect(error).toMatchObject({ code: "storage_unavailable", phase: "login" });
  expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code: "storage_unavailable" } });
  expect(await tab.call()).toEqual(["login_required"]);
});

for (const [what, ruin] of [
  ["is no JSON", () => "{ nonsense"],
  ["is cut off", (text) => text.slice(0, text.length / 2)],
  ["is another program's", () => '{"hello":"world"}'],
  ["is empty", () => ""],
]) {
  test(`a stored record that ${what} signs out with a reason, and touches nothing else`, async ({ visit }) => {
    const tab = await visit(byName("token by password, localStorage"));
    await tab.signIn();
    await tab.page.evaluate(
      `(${((ruin) => {
        const key = Object.keys(localStorage).find((key) => key.endsWith(".session"));
        localStorage.setItem(key, ruin(localStorage.getItem(key)));
        localStorage.setItem("another-application", "its own");
      }).toString()})(${ruin})`,
    );
    const { state, error } = await tab.reload();
    expect(state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
    expect(error).toBeUndefined();
    expect(await tab.page.evaluate(() => localStorage.getItem("another-application"))).toBe("its own");
    await tab.signIn();
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
  });
}

test("F32 a cleared storage does not sign out the tab that is signed in, and its next renewal writes anew", async ({
  visit,
}) => {
  const tab = await visit(byName("token by password, localStorage"));
  await tab.signIn();
  await tab.page.evaluate(() => localStorage.clear());
  expect(await tab.refresh()).toEqual({ value: "authenticated" });
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
});

test("two clients on one page keep apart what they store", async ({ visit }) => {
  const one = byName("token by password, localStorage");
  const [first, second] = [
    await visit(one, { options: { id: "first" } }),
    await visit(one, { options: { id: "second" } }),
  ];
  await first.signIn();
  expect(await second.state()).toMatchObject({ status: "unauthenticated" });
  expect((await second.reload()).state).toMatchObject({ status: "unauthenticated", reason: "never" });
});
