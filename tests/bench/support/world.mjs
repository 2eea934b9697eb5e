// Everything that a benchmark needs: the repository's provider and API, the pages, a slow line to them, and a browser in
// which each client is signed in.
import { chromium } from "@playwright/test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startAll } from "../../../www/server/testing.js";
import { root } from "../../../tools/pack.mjs";
import { buildPages } from "./build.mjs";
import { built } from "./clients.mjs";
import { startFront } from "./front.mjs";
import { startHost } from "./host.mjs";
import { makeLine } from "./line.mjs";

export const SLOW = { roundTripMs: 150, bitsPerSecond: 1_600_000, cpu: 4 };
/** Time for the browser to notice that a connection is gone. */
const HANG_UP_MS = 100;
const DAY_SECONDS = 24 * 3600;
/** Of a run that was interrupted, what is left here is removed by the next. */
const PROFILES = join(root, "target/bench/profiles");
const USER = { username: "alice", password: "wonderland" };

export async function makeWorld() {
  rmSync(PROFILES, { recursive: true, force: true });
  const pages = await buildPages();
  const closing = [];
  const keep = (one) => (closing.unshift(() => one.close()), one);
  const servers = {};
  const profiles = new Map();
  const world = {};
  const line = keep(makeLine(SLOW));

  const host = keep(await startHost(pages, (name, origin) => describe(name, origin)));
  const origins = { fast: `https://localhost:${host.port}`, slow: `https://localhost:${await line.listen(host.port)}` };
  const redirectUris = Object.values(origins).flatMap((origin) => built.map(({ page }) => `${origin}/${page}/`));
  const pageOrigins = Object.values(origins);
  servers.stack = keep(
    await startAll({
      provider: { accessTokenSeconds: DAY_SECONDS, pageOrigins, redirectUris, postLogoutRedirectUris: redirectUris },
      onTokenRequest: (request) => world.onTokenRequest?.(request),
      api: { pageOrigins },
    }),
  );
  servers.front = keep(await startFront(servers.stack.issuer));
  servers.slowApi = `http://localhost:${await line.listen(new URL(servers.stack.apiUrl).port)}`;

  function describe(name, origin) {
    const { issuer, clientId, apiUrl: direct } = servers.stack;
    const apiUrl = origin === origins.slow ? servers.slowApi : direct;
    const scope = "openid profile email offline_access api";
    const redirectUri = `${origin}/${name}/`;
    const resource = `${apiUrl}/api/hello`;
    return { issuer, auth0Domain: servers.front.url, clientId, scope, redirectUri, apiUrl, resource, ...told };
  }
  /** What the pages are told besides. */
  const told = { exposed: false };

  /** A new profile, on disk as a person's is: in a private one, Chromium neither caches there nor connects in advance. */
  async function openProfile() {
    mkdirSync(PROFILES, { recursive: true });
    const folder = mkdtempSync(join(PROFILES, "profile-"));
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: process.env.AUTHSAFE_CHROME || process.env.CHROME || "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
        // Trusted, and not merely let through: only then does the browser cache what it got.
        `--ignore-certificate-errors-spki-list=${host.spki}`,
      ],
    });
    context.setDefaultTimeout(120_000);
    context.on("close", () => profiles.delete(context));
    profiles.set(context, folder);
    world.browser ??= context.browser().version();
    return context;
  }

  async function closeProfile(context) {
    const folder = profiles.get(context);
    await context.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Signs in on a page that has just been opened. */
  async function signIn(page) {
    await page.waitForFunction(() => window.settled);
    await page.click("#sign-in");
    // Known from the first time on, the provider asks no more.
    const known = page.waitForFunction(() => window.answeredMs).then(() => true);
    const form = page.getByLabel("User name");
    known.catch(() => {});
    if (!(await Promise.race([known, form.waitFor().then(() => false)]))) {
      await form.fill(USER.username);
      await page.getByLabel("Password").fill(USER.password);
      await page.getByRole("button", { name: "Sign in" }).click();
    }
    await page.waitForFunction(() => window.answeredMs);
  }

  /** A profile in which this client is signed in, on the lines that are named. */
  async function signedIn(client, lines) {
    const context = await openProfile();
    for (const line of lines) {
      const page = await context.newPage();
      await page.goto(`${origins[line]}/${client.page}/`);
      await signIn(page);
      await page.close();
    }
    return context;
  }

  /** A visitor who comes another time has no connection yet; and what the browser opens in advance is closed, too. */
  async function hangUp() {
    do {
      host.hangUp();
      line.hangUp();
      await sleep(HANG_UP_MS);
    } while (host.connections() || line.connections());
  }

  Object.assign(world, {
    hangUp,
    host,
    line,
    origins,
    openProfile,
    closeProfile,
    signIn,
    signedIn,
    /** `stats` and `lifetimes` of the provider. `world.onTokenRequest` may be set, see `startProvider`. */
    provider: servers.stack.provider,
    /** Whether authsafe's pages are opened with `exposeAccessToken`. */
    expose: (value) => (told.exposed = value),
    /** Where authsafe keeps its tokens in pages that are opened from now on. */
    store: (value) => (told.storage = value),
    async close() {
      for (const context of [...profiles.keys()]) await closeProfile(context);
      for (const close of closing) await close();
    },
  });
  return world;
}
