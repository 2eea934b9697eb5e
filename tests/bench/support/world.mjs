// Everything that a benchmark needs: the repository's provider and API, the pages, a slow line to them, and a browser in
// which each client is signed in.
import { chromium } from "@playwright/test";
import { startAll } from "../../../www/server/testing.js";
import { buildPages } from "./build.mjs";
import { clients } from "./clients.mjs";
import { startFront } from "./front.mjs";
import { startHost } from "./host.mjs";
import { makeLine } from "./line.mjs";

export const SLOW = { roundTripMs: 150, bitsPerSecond: 1_600_000, cpu: 4 };
const DAY_SECONDS = 24 * 3600;
const USER = { username: "alice", password: "wonderland" };

export async function makeWorld() {
  const pages = await buildPages();
  const closing = [];
  const keep = (one) => (closing.unshift(() => one.close()), one);
  const servers = {};
  const line = keep(makeLine(SLOW));

  const host = keep(await startHost(pages, (name, origin) => describe(name, origin)));
  const origins = { fast: `https://localhost:${host.port}`, slow: `https://localhost:${await line.listen(host.port)}` };
  const redirectUris = Object.values(origins).flatMap((origin) => clients.map(({ page }) => `${origin}/${page}/`));
  const pageOrigins = Object.values(origins);
  servers.stack = keep(
    await startAll({
      provider: { accessTokenSeconds: DAY_SECONDS, pageOrigins, redirectUris, postLogoutRedirectUris: redirectUris },
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
    return { issuer, auth0Domain: servers.front.url, clientId, scope, redirectUri, apiUrl, resource, exposed };
  }
  let exposed = false;

  const browser = keep(
    await chromium.launch({
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
    }),
  );

  /** A profile in which this client is signed in, on the lines that are named. */
  async function signedIn(client, lines) {
    const context = await browser.newContext();
    context.setDefaultTimeout(120_000);
    for (const line of lines) {
      const page = await context.newPage();
      await page.goto(`${origins[line]}/${client.page}/`);
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
      await page.close();
    }
    return context;
  }

  return {
    browser,
    host,
    line,
    origins,
    signedIn,
    /** Whether authsafe's pages are opened with `exposeAccessToken`. */
    expose: (value) => (exposed = value),
    async close() {
      for (const close of closing) await close();
    },
  };
}
