// What every test gets: the servers, which are whole again before each test, and a way to open the bare page.
import { fileURLToPath } from "node:url";
import { test as base, expect } from "@playwright/test";
import { startAll } from "../../../www/server/testing.js";
import { startFakeProvider } from "../fakes/provider.mjs";
import { startRecorder } from "../fakes/recorder.mjs";
import { installClock } from "./clock.mjs";
import { optionsOf, renewals, resourceOf } from "./cases.mjs";
import { Tab } from "./tab.mjs";
import { watch } from "./watch.mjs";

export { expect };

const pkg = fileURLToPath(new URL("../../../pkg", import.meta.url));
const pages = fileURLToPath(new URL("../pages", import.meta.url));
/** For what is prepared once in each worker. */
const SETUP_MS = 240_000;

export const test = base.extend({
  stack: [
    async ({}, use) => {
      const redirectPaths = ["/", "/callback", "/bare/", "/bare/elsewhere"];
      // Tests invent servers of their own there, which a policy would have to name beforehand.
      // A worker obeys the policy that its own script comes with.
      const unbound = (dir) => ({ dir, csp: false });
      const extraStatic = {
        "/bare/authsafe/dist": unbound(`${pkg}/dist`),
        "/bare/authsafe/wasm": unbound(`${pkg}/wasm`),
        "/bare/clear": { ...unbound(pages), headers: { "Clear-Site-Data": '"storage"' } },
        "/bare": unbound(pages),
      };
      const hooks = {};
      const onTokenRequest = (request) => hooks.onTokenRequest?.(request);
      const stack = await startAll({ redirectPaths, extraStatic, onTokenRequest });
      const config = await (await fetch(`${stack.pageUrl}/config.json`)).json();
      await use({ ...stack, config, hooks });
      await stack.close();
    },
    { scope: "worker", timeout: SETUP_MS },
  ],

  /** The first page of a new browser takes long, on a busy machine above all: no test pays for it. */
  warm: [
    async ({ stack, browser }, use) => {
      const page = await browser.newPage();
      page.setDefaultTimeout(SETUP_MS);
      await page.goto(`${stack.pageUrl}/bare/`);
      await page.waitForFunction(() => window.authsafe);
      const options = { mode: "session", endpoints: { session: "/session" } };
      await page.evaluate((options) => window.authsafe.createAuthClient(options).preload(), options);
      await page.close();
      await use();
    },
    { scope: "worker", auto: true, timeout: SETUP_MS },
  ],

  /** `hooks.onTokenRequest` may be set: an answer of the provider's token endpoint waits for what it returns. */
  servers: async ({ stack }, use) => {
    const usual = [stack.provider, stack.session, stack.firstParty].map((server) => ({ ...server.lifetimes }));
    await use(stack);
    [stack.provider, stack.session, stack.firstParty].forEach((server, at) =>
      Object.assign(server.lifetimes, usual[at]),
    );
    delete stack.hooks.onTokenRequest;
    stack.provider.dpop.requireNonce = false;
    Object.assign(stack.api.proofs.settings, { requireNonce: false, exposeNonce: true });
    stack.session.clock.reset();
    stack.api.clock.reset();
    for (const server of [stack.provider, stack.api, stack.page]) await server.restart();
  },

  /** Time, which passes only a little unless `clock.letPass(seconds)` lets it. To be asked for where a test needs it. */
  clock: async ({ context, invariants }, use) => {
    const clock = await installClock(context);
    invariants.goesBy(clock);
    await use(clock);
  },

  /**
   * I1 to I8 of docs/faults.md are looked for after every test. `invariants.breaks("I2 again", "why")` declares what a test brings
   * about on purpose: it must then happen, too; `mayBreak`, where chance decides.
   */
  invariants: [
    async ({ context, servers: _ }, use, testInfo) => {
      const watched = await watch(context);
      const check = async () => {
        const passed = testInfo.status === "passed" || testInfo.status === undefined;
        const found = await watched.check({ passed });
        for (const [kind, { why }] of watched.declared) {
          testInfo.annotations.push({ type: `breaks ${kind}`, description: why });
        }
        expect(found, "what must hold whatever happens").toEqual([]);
      };
      await use({ ...watched, check });
      await check();
    },
    { auto: true },
  ],

  /** An uncaught error or a rejected promise that nobody handles fails the test, whatever it is about. */
  noUncaughtErrors: [
    async ({ context }, use) => {
      const uncaught = [];
      context.on("weberror", (webError) => uncaught.push(webError.error().message));
      await use(uncaught);
      expect(uncaught).toEqual([]);
    },
    { auto: true },
  ],

  /** A server of somebody else's that keeps what it was sent. */
  recorder: async ({ invariants }, use) => {
    const recorder = await startRecorder();
    await use(recorder);
    await invariants.check().finally(recorder.close);
  },

  /** A provider that lies on demand. Its secrets carry a mark that occurs nowhere else. */
  liar: async ({ invariants }, use) => {
    const liar = await startFakeProvider({ mark: "CANARY" });
    await use(liar);
    for (const what of Object.keys(liar.lies)) delete liar.lies[what];
    await invariants.check().finally(liar.close);
  },

  /** `await visit(case, overrides)`: a tab of this browser with the client of that case on it, started. */
  visit: async ({ context, servers }, use) => {
    await use(async (one, { options, path = "/bare/", page, before } = {}) => {
      const { config } = servers;
      const merged = { ...optionsOf(one, config), ...options };
      const opened = page ?? (await context.newPage());
      await opened.addInitScript((value) => (window.authOptions = value), merged);
      await before?.(opened);
      const tab = new Tab(opened, {
        one,
        address: config.pageUrl + path,
        resource: resourceOf(one, config),
        renewals: () => renewals(one, servers),
      });
      await tab.open();
      return tab;
    });
  },
});
