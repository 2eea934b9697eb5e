// Where the credential goes, and where it never does.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const one = byName("token by password, memory");
const get = "async (address) => (await auth.fetch(address)).status";

test("a redirect to another origin carries no credential along", async ({ visit, servers, recorder }) => {
  const tab = await visit(one);
  await tab.signIn();
  const { apiUrl } = servers.config;
  for (const status of [301, 302, 303, 307, 308]) {
    const to = encodeURIComponent(`${recorder.origin}/caught-${status}`);
    await tab.attempt(get, `${apiUrl}/api/redirect?status=${status}&to=${to}`);
  }
  const redirects = servers.api.stats.requests.filter(
    ({ path, method }) => path === "/api/redirect" && method === "GET",
  );
  expect(redirects.slice(-5).map(({ authorization }) => authorization)).toEqual(Array(5).fill(true));
  // All arrive, and none with the credential.
  expect(recorder.requests.map(({ url }) => url)).toEqual(
    [301, 302, 303, 307, 308].map((status) => `/caught-${status}`),
  );
  expect(recorder.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

test("addresses that only look like the API get no credential", async ({ visit, servers, recorder }) => {
  const tab = await visit(one);
  await tab.signIn();
  const { apiUrl, pageUrl } = servers.config;
  const apiHost = new URL(apiUrl).host;
  const { port } = recorder;
  const hostile = [
    recorder.origin,
    `//localhost:${port}/x`,
    `http:\\\\localhost:${port}\\x`,
    `http:localhost:${port}/x`,
    `\thttp://localhost:${port}/${apiUrl}`,
    `http://localhost:${port}/?${apiUrl}/api/hello`,
    `http://localhost:${port}#${apiUrl}`,
    `http://localhost.evil.localhost:${port}/api/hello`,
    `http://${apiHost.replace(":", ".")}.localhost:${port}/`,
    `http://127.0.0.1:${port}/api/hello`,
    `HTTP://LOCALHOST:${port}/api/hello`,
    `http://localhost:0${port}/api/hello`,
    new URL("/bare/?x", pageUrl).href,
  ];
  for (const address of hostile) await tab.attempt(get, address);
  expect(recorder.requests.length).toBeGreaterThanOrEqual(9);
  expect(recorder.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  // An address with a user name in it is refused by the browser; and another spelling of the same machine is another origin.
  expect(await tab.attempt(get, `http://${apiHost}@localhost:${port}/`)).toMatchObject({
    error: { name: "TypeError" },
  });
  const before = servers.api.stats.requests.length;
  await tab.attempt(get, `${apiUrl.replace("localhost", "127.0.0.1")}/api/hello`);
  const arrived = servers.api.stats.requests.slice(before);
  expect(arrived.length).toBeGreaterThan(0);
  expect(arrived.filter(({ authorization }) => authorization)).toEqual([]);
});

test("spellings that a browser reads as the API's own address do get it", async ({ visit, servers }) => {
  const tab = await visit(one);
  await tab.signIn();
  const { apiUrl } = servers.config;
  for (const address of [
    `${apiUrl.replace("http", "HTTP").replace("localhost", "LocalHost")}/api/hello`,
    `${apiUrl}/api/../api/hello`,
    `${apiUrl}/api/hello?x=//evil.example#y`,
    `  ${apiUrl}/api/hello  `,
  ]) {
    expect(await tab.attempt(get, address)).toEqual({ value: 200 });
  }
});

test("a path prefix ends at a segment, however the path is spelt", async ({ visit, servers }) => {
  const { apiUrl } = servers.config;
  const allowedOrigins = [{ origin: apiUrl, pathPrefix: "/api/hello" }];
  const tab = await visit(one, { options: { allowedOrigins } });
  await tab.signIn();
  expect(await tab.call()).toEqual([200]);
  for (const path of [
    "/api/helloworld",
    "/api/hello/..%2fslow",
    "/api/hello/%2e%2e/slow",
    "/api/hello/..%5cslow",
    "/api/hello/..;/slow",
    "/api/hello/%252e%252e/slow",
    "/api/slow",
    "/",
  ]) {
    const before = servers.api.stats.requests.length;
    await tab.attempt(get, apiUrl + path);
    const arrived = servers.api.stats.requests.slice(before);
    expect(arrived.length, path).toBeGreaterThan(0);
    expect(
      arrived.some(({ authorization }) => authorization),
      path,
    ).toBe(false);
  }
});

test("a request with an Authorization header of its own is refused instead of sent with either", async ({
  visit,
  servers,
}) => {
  const tab = await visit(one);
  await tab.signIn();
  const before = servers.api.stats.requests.length;
  const own = "async (address) => (await auth.fetch(address, { headers: { authorization: 'Bearer mine' } })).status";
  expect(await tab.attempt(own, tab.resource)).toMatchObject({ error: { code: "request_refused" } });
  expect(servers.api.stats.requests).toHaveLength(before);
});

test("a body that can be sent twice is sent again after a refusal", async ({ visit, servers }) => {
  const tab = await visit(one);
  await tab.signIn();
  await tab.call();
  servers.api.denySeenTokens();
  const post = `async (address) => {
    const response = await auth.fetch(address, {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"note":"kept"}' });
    return { status: response.status, received: (await response.json()).received };
  }`;
  expect(await tab.attempt(post, tab.resource)).toEqual({ value: { status: 200, received: { note: "kept" } } });
});

test("nothing is sent anywhere for a call that was called off", async ({ visit, servers }) => {
  const tab = await visit(one);
  await tab.signIn();
  const before = servers.api.stats.requests.length;
  const aborted = "async (address) => auth.fetch(address, { signal: AbortSignal.abort() })";
  expect(await tab.attempt(aborted, tab.resource)).toMatchObject({ error: { name: "AbortError" } });
  expect(servers.api.stats.requests).toHaveLength(before);
});
