import assert from "node:assert/strict";
import { test } from "node:test";
import { tokensIn } from "./lab.js";
import { obtainTokens } from "./test-client.js";
import { startAll } from "./testing.js";

const jwt = (header, claims) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") + ".c2ln";

test("tokens are found by their form and by their names, each once", () => {
  const access = jwt({ typ: "at+jwt" }, { sub: "a" });
  const id = jwt({ alg: "RS256" }, { sub: "a" });
  const refresh = "r".repeat(43);
  const loot = JSON.stringify({ access, again: access, id, inner: JSON.stringify({ refresh_token: refresh }) });
  assert.deepEqual(tokensIn(loot), [
    { kind: "access token", token: access },
    { kind: "ID token", token: id },
    { kind: "refresh token", token: refresh },
  ]);
  assert.deepEqual(tokensIn("eyJ.eyJ.x eyJhbGc.eyJub25zZW5zZQ.x refresh_token: short"), []);
});

test("an access token that is sent to the thief is tried at the API", async (t) => {
  const stack = await startAll();
  t.after(() => stack.close());
  const { labUrl } = await (await fetch(`${stack.pageUrl}/config.json`)).json();
  const { tokens } = await obtainTokens(stack);
  const send = async (init) => (await fetch(`${labUrl}/loot`, { method: "POST", ...init })).json();

  const inBody = await send({ body: JSON.stringify(tokens) });
  assert.deepEqual(
    inBody.tokens.map(({ kind, status }) => [kind, status]),
    [
      ["access token", 200],
      ["ID token", undefined],
      ["refresh token", undefined],
    ],
  );
  const inHeader = await send({ headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.deepEqual(
    inHeader.tokens.map(({ kind, status }) => [kind, status]),
    [["access token", 200]],
  );
  stack.api.denySeenTokens();
  const spent = await send({ body: tokens.access_token });
  assert.deepEqual(
    spent.tokens.map(({ status }) => status),
    [401],
  );
  assert.deepEqual(await send({ body: "nothing of worth" }), { bytes: 16, tokens: [] });
});
