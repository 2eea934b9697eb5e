// In page isolation, script that comes later patches the page. What authsafe sends to the provider and what comes back must not
// pass through a patch; that the patches work is shown with a request of the page's own.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const MARK = "CANARY";

async function patched(tab) {
  await tab.page.evaluate((mark) => import(`/bare/patches.js?mark=${mark}`), MARK);
  expect(await tab.page.evaluate(() => window.patched)).toBe(true);
}

const stolen = (tab) => tab.page.evaluate(() => ({ ...window.stolen }));

for (const storage of ["memory", "sessionStorage", "localStorage"]) {
  test(`script that patches the page after it has started sees nothing of a renewal and of a call (${storage})`, async ({
    visit,
    liar,
    recorder,
  }) => {
    const allowedOrigins = [recorder.origin];
    const options = { isolation: "page", storage, allowedOrigins, oidc: { issuer: liar.issuer, clientId: "client" } };
    const tab = await visit(byName("token by OpenID, memory"), { options });
    await tab.signIn(undefined, { known: true });
    expect(await tab.state()).toMatchObject({ status: "authenticated" });
    expect(await tab.page.evaluate(() => window.auth.isolation)).toBe("page");
    await patched(tab);
    const before = liar.secrets.size;
    // The second one opens what the first one has sealed, where other tabs could have written it.
    for (let renewals = 0; renewals < 2; renewals++) expect(await tab.refresh()).toEqual({ value: "authenticated" });
    // The provider has given out new tokens, so there was something to see.
    expect(liar.secrets.size).toBeGreaterThan(before);
    expect(await tab.call(2, `${recorder.origin}/x`)).toEqual([200, 200]);
    for (const { authorization } of recorder.requests) expect(authorization).toContain(`${MARK}-access-`);
    expect(recorder.requests).toHaveLength(2);
    expect(await stolen(tab)).toEqual({});
    if (storage === "memory") return;
    const texts = await tab.page.evaluate((storage) => JSON.stringify({ ...window[storage] }), storage);
    expect(texts).toContain('ct\\":');
    expect(await tab.events("storageDegraded")).toEqual([]);
  });
}

test("the same script sees a renewal that the page makes by itself", async ({ visit, liar }) => {
  const options = { isolation: "page", oidc: { issuer: liar.issuer, clientId: "client" } };
  const tab = await visit(byName("token by OpenID, memory"), { options });
  await patched(tab);
  await tab.page.evaluate(async (mark) => {
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: `${mark}-refresh-mine` });
    const response = await fetch("/elsewhere", { method: "POST", body: body.toString() });
    await response.text();
    JSON.parse(JSON.stringify({ refresh_token: `${mark}` }));
    const bytes = new TextEncoder().encode(mark);
    new TextDecoder().decode(bytes);
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const sealed = await crypto.subtle.encrypt(algorithm, key, bytes);
    if (!((await crypto.subtle.decrypt(algorithm, key, sealed)) instanceof ArrayBuffer)) throw new Error("no bytes");
  }, MARK);
  const seen = Object.keys(await stolen(tab));
  expect(seen).toEqual(
    expect.arrayContaining([
      "fetch",
      "JSON.parse",
      "TextDecoder.decode",
      "TextEncoder.encode",
      "SubtleCrypto.encrypt",
      "crypto.subtle",
      "ArrayBuffer[Symbol.hasInstance]",
    ]),
  );
});

test("a request that lies about its address carries no token to another one", async ({ visit, liar, recorder }) => {
  const allowedOrigins = ["https://api.example"];
  const options = { isolation: "page", allowedOrigins, oidc: { issuer: liar.issuer, clientId: "client" } };
  const tab = await visit(byName("token by OpenID, memory"), { options });
  await tab.signIn(undefined, { known: true });
  const sent = await tab.page.evaluate(async (sink) => {
    const api = "https://api.example/x";
    const real = window.Request;
    const lies = { get: () => api };
    Object.defineProperty(Request.prototype, "url", lies);
    const first = await window.auth.fetch(`${sink}/getter`);
    window.Request = function (...given) {
      return Object.assign(Object.create(new real(...given)), {
        toString: () => `${sink}/object`,
        signal: new AbortController().signal,
      });
    };
    const second = await window.auth.fetch(`${sink}/object`).catch((error) => error);
    return [first.status, second.status ?? second.name];
  }, recorder.origin);
  expect(sent[0]).toBe(200);
  for (const { authorization } of recorder.requests) expect(authorization).toBeUndefined();
  expect(recorder.requests.length).toBeGreaterThan(0);
});
