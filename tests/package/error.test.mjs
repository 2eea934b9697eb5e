// AuthError and describeStorage: what an application is told in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layer } from "./fakes/scripted.mjs";

const fields = {
  code: "token_request_rejected",
  phase: "token",
  retryable: false,
  recovery: "fix_config",
  message: "The server rejects this client or its request.",
  hint: "See `oauth.error`.",
  status: 400,
  retryAfterSeconds: 5,
  oauth: { error: "invalid_client", error_description: "unknown client" },
};

test("an error of one copy of authsafe is recognised by another, where instanceof fails", async (t) => {
  const [one, two] = [await layer(t), await layer(t)];
  assert.notEqual(one.AuthError, two.AuthError);
  const error = new one.AuthError(fields);
  assert.equal(error instanceof two.AuthError, false);
  assert.equal(two.AuthError.is(error), true);
  assert.equal(two.AuthError.is(error, "token_request_rejected"), true);
  assert.equal(two.AuthError.is(error, "server_error"), false);
  for (const other of [undefined, null, "token_request_rejected", new Error("x"), { ...fields }, () => {}]) {
    assert.equal(one.AuthError.is(other), false);
  }
});

test("an error keeps its fields, and its JSON holds nothing but them", async (t) => {
  const { AuthError } = await layer(t);
  const cause = new Error("canary");
  const error = new AuthError({ ...fields, access_token: "canary" }, cause);
  assert.ok(error instanceof Error);
  assert.equal(String(error), "AuthError: The server rejects this client or its request.");
  assert.equal(error.cause, cause);
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(error[name], value);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), fields);
  const { status: _, oauth: __, retryAfterSeconds: ___, hint: ____, ...few } = fields;
  assert.equal("status" in new AuthError(few), false);
  assert.deepEqual(JSON.parse(JSON.stringify(new AuthError(few))), few);
});

test("each storage choice is described by what it gives, and by whether tokens are sealed in it", async (t) => {
  const { describeStorage, AuthError } = await layer(t);
  const { notes, ...facts } = describeStorage("localStorage");
  assert.deepEqual(facts, {
    survivesReload: true,
    sharedAcrossTabs: true,
    readableByScript: true,
    sentAutomatically: false,
  });
  assert.match(notes[0], /sealed/);
  const { notes: plainNotes, ...plainFacts } = describeStorage({ kind: "localStorage", dangerouslyPlaintext: true });
  assert.match(plainNotes[0], /plain text/);
  assert.deepEqual([plainFacts, plainNotes.slice(2)], [facts, notes.slice(2)]);
  assert.deepEqual(describeStorage({ kind: "memory" }), describeStorage("memory"));
  assert.equal(describeStorage("memory").survivesReload, false);
  assert.equal(describeStorage("cookie").sentAutomatically, true);
  assert.equal(describeStorage("sessionStorage").sharedAcrossTabs, false);
  for (const wrong of ["webSQL", "toString", { kind: "__proto__" }]) {
    assert.throws(
      () => describeStorage(wrong),
      (error) => AuthError.is(error, "config_invalid"),
    );
  }
});

test("a description belongs to the caller: changing it changes no other", async (t) => {
  const { describeStorage } = await layer(t);
  describeStorage("memory").notes.length = 0;
  assert.ok(describeStorage("memory").notes.length > 0);
});
