import assert from "node:assert/strict";
import { test } from "node:test";
import { tokensIn } from "./lab.js";
import { startAll } from "./testing.js";
import { startTestClient } from "./test-client.js";

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
