// The TypeScript layer around a scripted core, in a real browser, in the page or in a worker.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { layer } from "../fakes/scripted.mjs";
import { listen, open, serve } from "./browser.mjs";

// Runs in the page, or in the worker. What the core grants stands in the address: `?grant=` and JSON.
const CORE = `
  // A worker that ends before it has begun.
  if (location.search === "?trap") postMessage({ kind: "trap", fault: "unreachable" });
  let tickets = 0;
  globalThis.asked = [];
  globalThis.scriptedModules = [];
  const nobody = { status: "unauthenticated", reason: "never" };
  const somebody = (session) => ({ status: "authenticated", user: {}, freshness: "fresh", session });
  globalThis.scriptedCore = ({ allowedOrigins, session }, { onState }) => ({
    init: async () => ({}),
    snapshot: () => (session ? somebody(session) : nobody),
    accessToken: async () => {
      // After the answer.
      if (globalThis.online) setTimeout(() => onState({ ...somebody(session), freshness: "stale" }));
      return "token " + ++tickets;
    },
    refresh: async () => {
      onState(somebody(session));
      globalThis.letGo?.();
    },
    // Is at it until the next renewal.
    logout: async () => {
      await new Promise((resolve) => (globalThis.letGo = resolve));
      onState(nobody);
    },
    pageChanged: (news) => void (globalThis.online = news === "online"),
    origins: () => allowedOrigins,
    authorize: async (url, method) => {
      globalThis.asked.push(url);
      globalThis.whenAsked?.();
      const ticket = String(++tickets);
      const more = JSON.parse(new URL(url).searchParams.get("grant") ?? "{}");
      return more && JSON.stringify({ headers: [["authorization", "Bearer " + ticket]], ticket, ...more });
    },
    answered: async () => true,
    dispose() {},
  });
`;

const PAGE = `
  import "/scripted.js";
  import * as authsafe from "/index.js";
  authsafe.setWasmSource(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  authsafe.setWorkerSource("/scripted-worker.js");
  const make = (isolation, ...allowedOrigins) => authsafe.createAuthClient({ mode: "token", isolation, allowedOrigins });
  Object.assign(window, { authsafe, make });
`;

const WORKER = 'import "/scripted.js"; import "/worker.js";';

/** A page with the layer in it, and an API on another origin that keeps what arrives. */
export async function page(t, isolation, answer = () => [200]) {
  const { folder } = await layer(t);
  const files = {
    "index.html": '<!doctype html><title>app</title><script type="module" src="/page.js"></script>',
    "page.js": PAGE,
    "scripted.js": CORE,
    "scripted-worker.js": WORKER,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { origin } = await serve(t, folder);
  const seen = [];
  const api = await listen(t, async (request, response) => {
    const headers = {
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "x-answer",
    };
    if (request.method === "OPTIONS") {
      const allowed = { "access-control-allow-headers": "authorization", "access-control-allow-methods": "POST" };
      return response.writeHead(204, { ...headers, ...allowed }).end();
    }
    const body = Buffer.concat(await request.toArray()).toString();
    seen.push({ url: request.url, headers: request.headers, body });
    const [status, more, text = `answer ${seen.length}`] = answer(seen.length, request);
    response.writeHead(status, { ...headers, ...more }).end(text);
  });
  const tab = await open(t, origin);
  const actual = await tab.evaluate(
    async ([isolation, api]) => {
      window.auth = window.make(isolation, new URL(api).origin);
      await window.auth.init();
      return window.auth.isolation;
    },
    [isolation, api],
  );
  assert.equal(actual, isolation);
  return { page: tab, origin, api, seen };
}
