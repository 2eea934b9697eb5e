// A backend of the application's own that answers nonsense: each answer has its own code, and what was valid stays in force.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

/** Where a case signs in, and where it renews or asks who is signed in. */
const places = [
  ["token by password, localStorage", "**/auth/login", "**/auth/refresh", "() => auth.refresh()"],
  ["token by password, refresh cookie", "**/auth-cookie/login", "**/auth-cookie/refresh", "() => auth.refresh()"],
  ["session, double-submit", "**/session*/login", "**/session*/extend", "() => auth.extendSession()"],
];
const html = (body) => ({ contentType: "text/html", body });
const json = (body) => ({ contentType: "application/json", body });

/** The answers, and the code that each gets. */
const answers = [
  ["HTML", html("<h1>Log in</h1>"), "response_invalid"],
  ["HTML that calls itself JSON", json("<h1>Log in</h1>"), "response_invalid"],
  ["JSON that is cut off", json('{"access_token":"x","token_type":"Bear'), "response_invalid"],
  ["a list", json("[]"), "response_invalid"],
  ["over 256 KiB", json(JSON.stringify({ large: "x".repeat(300 * 1024) })), "response_too_large"],
  ["a failure of the server", { status: 503, ...html("<h1>503</h1>") }, "server_error"],
];

for (const [name, login, renewal, renew] of places) {
  for (const [what, answer, code] of answers) {
    test(`an answer that is ${what} is ${code}, and keeps what was valid (${name})`, async ({ visit, context }) => {
      const tab = await visit(byName(name));
      await context.route(login, (route) => route.fulfill(answer));
      const { error } = await tab.signIn();
      expect(error).toMatchObject({ code, phase: "login" });
      expect(error.hint.length).toBeGreaterThan(5);
      expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code } });
      await context.unroute(login);
      expect(await tab.signIn()).toMatchObject({ value: { user: { name: ALICE.name } } });

      await context.route(renewal, (route) => route.fulfill(answer));
      expect(await tab.attempt(renew)).toMatchObject({ error: { code } });
      expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: ALICE.name } });
      expect(await tab.call()).toEqual([200]);
      await context.unroute(renewal);
      expect(await tab.attempt(renew)).not.toHaveProperty("error");
      expect(await tab.call()).toEqual([200]);
    });
  }
}

test("a claim called __proto__ does not become the prototype of the user", async ({ visit, context }) => {
  const tab = await visit(byName("session, double-submit"));
  const user = '{"sub":"user-1001","__proto__":{"role":"admin"}}';
  await context.route("**/session*/login", (route) => route.fulfill(json(`{"user":${user}}`)));
  await tab.signIn();
  const seen = await tab.page.evaluate(() => {
    const { user } = window.auth.getState();
    return { sub: user.sub, role: user.role, plain: Object.getPrototypeOf(user) === Object.prototype };
  });
  expect(seen).toEqual({ sub: "user-1001", plain: true });
});
