// auth.fetch in a real browser, where requests have modes, referrers and redirects, and bodies that the network reads; in the
// page and through the worker. The core is scripted: which request gets a credential is not what is tested here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "./support/layered.mjs";
import { listen } from "./support/browser.mjs";

for (const isolation of ["page", "worker"]) {
  const here = (name, work) => test(`in the ${isolation}: ${name}`, work);
  const start = (t, answer) => page(t, isolation, answer);

  here("bodies of every kind that can be read twice are sent twice, the same", async (t) => {
    const { page: tab, api, seen } = await start(t, (count) => [count % 2 ? 401 : 200]);
    const answers = await tab.evaluate(async (api) => {
      const form = new FormData();
      form.set("field", "value");
      form.set("file", new File(["text"], "name.txt"));
      const large = "x".repeat(1_000_000);
      const bodies = [
        "text",
        new Uint8Array([116, 101, 120, 116]),
        new Blob([large]),
        new URLSearchParams("a=b"),
        form,
      ];
      const answers = [];
      for (const body of [...bodies, large]) {
        const init = { method: "POST", body };
        for (const request of [[api, init], [new Request(api, init)]]) {
          answers.push((await window.auth.fetch(...request)).status);
        }
      }
      return answers;
    }, api);
    assert.deepEqual(answers, Array(12).fill(200));
    assert.equal(seen.length, 24);
    for (let at = 0; at < seen.length; at += 2) {
      const [first, second] = seen.slice(at, at + 2);
      assert.ok(first.body.length > 0);
      assert.equal(second.body, first.body);
      assert.equal(second.headers["content-type"], first.headers["content-type"]);
      assert.notEqual(second.headers.authorization, first.headers.authorization);
    }
  });

  here("a redirect is not followed where the core says so, and the credential goes nowhere", async (t) => {
    const stolen = [];
    const evil = await listen(t, (request, response) => {
      stolen.push(request.headers);
      response.writeHead(200, { "access-control-allow-origin": "*", "access-control-allow-headers": "*" }).end();
    });
    const { page: tab, api } = await start(t, () => [307, { location: evil }]);
    const failed = await tab.evaluate((api) => {
      const address = `${api}/?grant={"redirect":"error"}`;
      return window.auth.fetch(address, { redirect: "follow" }).catch((error) => error.name);
    }, api);
    assert.equal(failed, "TypeError");
    assert.deepEqual(stolen, []);
  });

  here("the referrer stays the caller's, also where cookies are added", async (t) => {
    const { page: tab, origin, api, seen } = await start(t);
    await tab.context().addCookies([{ name: "session", value: "1", url: api }]);
    await tab.evaluate(async (api) => {
      const included = `${api}/?grant={"credentials":"include"}`;
      await window.auth.fetch(included, { referrerPolicy: "no-referrer" });
      await window.auth.fetch(included, { referrer: "/from", referrerPolicy: "unsafe-url" });
      await window.auth.fetch(included);
      await window.auth.fetch(`${api}/?grant=null`);
    }, api);
    assert.deepEqual(
      seen.map(({ headers }) => [headers.referer, headers.cookie]),
      [
        [undefined, "session=1"],
        [`${origin}/from`, "session=1"],
        [`${origin}/`, "session=1"],
        [`${origin}/`, undefined],
      ],
    );
  });

  here("a request that the browser would strip of its headers is refused", async (t) => {
    const { page: tab, api, seen } = await start(t);
    const code = await tab.evaluate(
      (api) => window.auth.fetch(api, { mode: "no-cors" }).catch(({ code }) => code),
      api,
    );
    assert.equal(code, "request_refused");
    assert.deepEqual(seen, []);
  });

  here(
    "a hundred refused requests are each sent once more, and none waits for the connection of another",
    async (t) => {
      const refused = new Set();
      const refusedOnce = ({ url }) => refused.size < refused.add(url).size;
      const { page: tab, api, seen } = await start(t, (_, request) => [refusedOnce(request) ? 401 : 200]);
      const statuses = await tab.evaluate(async (api) => {
        const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => window.auth.fetch(`${api}/${at}`)));
        return answers.map(({ status }) => status);
      }, api);
      assert.deepEqual(statuses, Array(100).fill(200));
      assert.equal(seen.length, 200);
    },
  );
}

test("hostile spellings of an address reach the core as what the browser would call", async (t) => {
  const { page: tab, origin } = await page(t, "page");
  const asked = await tab.evaluate(async () => {
    const spellings = [
      "/api",
      "//evil.test/x",
      "\\\\evil.test/x",
      "https:\\\\evil.test\\x",
      "https://api.example.com.evil.test/",
      "HTTPS://API.EXAMPLE.COM:443/a/../b?c#d",
      "ht\ntps://api.example.com/",
      "https://api.example.com\u3002evil.test/",
      "data:text/plain,x",
    ];
    // No credential, and no request: all are stopped by a signal right after the core was asked.
    for (const spelling of spellings) {
      const control = new AbortController();
      window.whenAsked = () => control.abort();
      await window.auth.fetch(spelling, { signal: control.signal }).catch(() => {});
    }
    return window.asked;
  });
  assert.deepEqual(asked, [
    `${origin}/api`,
    "http://evil.test/x",
    "http://evil.test/x",
    "https://evil.test/x",
    "https://api.example.com.evil.test/",
    "https://api.example.com/b?c#d",
    "https://api.example.com/",
    "https://api.example.com.evil.test/",
    "data:text/plain,x",
  ]);
});
