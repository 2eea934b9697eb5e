// A part of the attacks for every run of the tests (`make theft` is the whole), and what the committed matrix must be like.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { quickVisitsOf, visitsOf } from "./attacks.mjs";
import { configurations, leaky } from "./configurations.mjs";
import { findAll } from "./decode.mjs";
import { descriptions } from "./descriptions.mjs";
import { asJson, asPage, differences, inOrder, readCommitted, readPage } from "./matrix.mjs";
import { run } from "./run.mjs";
import { attackNames } from "./script.mjs";
import { blind } from "./self-test.mjs";

const known = readCommitted();
const tell = (line) => console.log(line);
const SAMPLE = ["authsafe, memory, worker", "authsafe, HttpOnly session cookie, server"];

test("every attack sees the client that leaks on purpose", async () => {
  const { rows, problems } = await run({ configurations: [leaky], tell });
  assert.deepEqual([...problems, ...blind(rows)], []);
});

test("the attacks of the ordinary round get what the matrix says, no more and no less", async () => {
  const sample = configurations.filter(({ name }) => SAMPLE.includes(name));
  assert.equal(sample.length, SAMPLE.length);
  const { rows, problems } = await run({ configurations: sample, visits: quickVisitsOf, tell });
  assert.deepEqual([...problems, ...differences(rows, known)], []);
});

test("the page in docs/ is made of the matrix", () => {
  assert.equal(readPage(), asPage(known));
  assert.equal(asJson(inOrder(known, configurations)), asJson(known));
});

test("the matrix has a cell for every attack on every configuration, and no other", () => {
  const expected = configurations.flatMap((one) =>
    visitsOf(one).flatMap(({ timing, hooks, traps, runs }) =>
      [...hooks, ...traps, ...runs].map((attack) => [one.sdk, one.storage, one.isolation, timing, attack].join()),
    ),
  );
  const found = known.map(({ sdk, storage, isolation, timing, attack }) =>
    [sdk, storage, isolation, timing, attack].join(),
  );
  assert.deepEqual(found.sort(), expected.sort());
});

test("a difference is told, whether it is better or worse, and what is missing as well", () => {
  const row = { sdk: "a", storage: "b", isolation: "c", attack: "T1", timing: "late", stolen: ["code"], usable: [] };
  const worse = { ...row, usable: ["code"] };
  const better = { ...row, stolen: [] };
  assert.deepEqual(differences([row], [row], true), []);
  assert.match(differences([worse], [row])[0], /^worse: a | b/);
  assert.match(differences([better], [row])[0], /^better: /);
  assert.match(differences([], [row], true)[0], /^gone: /);
  assert.match(differences([row], [])[0], /^new: /);
});

const SECRET = "eyJhbGciOiJFUzI1NiJ9.eyJjYW5hcnkiOiJ0d2VldCJ9.c2lnbmF0dXJl";
const encodings = {
  "as it is": SECRET,
  "in base64": btoa(`token=${SECRET}`),
  "in base64url inside JSON": JSON.stringify({ a: [Buffer.from(SECRET).toString("base64url")] }),
  "in hex": Buffer.from(SECRET).toString("hex"),
  "percent-encoded twice": encodeURIComponent(encodeURIComponent(`{"t":"${SECRET}"}`)),
  "in UTF-16, as base64": Buffer.from(SECRET, "utf16le").toString("base64"),
  "compressed, as base64": gzipSync(JSON.stringify({ SECRET })).toString("base64"),
  "as bytes of an ArrayBuffer": JSON.stringify([...Buffer.from(SECRET)]),
  backwards: [...SECRET].reverse().join(""),
  "as JSON inside JSON inside base64": btoa(JSON.stringify({ inner: JSON.stringify({ value: SECRET }) })),
  "in two pieces": JSON.stringify({ first: SECRET.slice(0, 20), second: SECRET.slice(20) }),
};
for (const [how, loot] of Object.entries(encodings)) {
  test(`the sink finds a secret ${how}`, () => assert.deepEqual(findAll(loot, [SECRET]), [SECRET]));
}

test("every attack of the tables is part of some visit", () => {
  const used = new Set(visitsOf(leaky).flatMap(({ hooks, traps, runs }) => [...hooks, ...traps, ...runs]));
  assert.deepEqual([...used].sort(), Object.values(attackNames).flat().sort());
  assert.deepEqual(Object.keys(descriptions).sort(), [...used].sort());
});
