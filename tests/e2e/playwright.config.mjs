// End to end: real browser, real provider, real session server. Each failure leaves a trace and a screenshot.
import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

const inRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.mjs",
  outputDir: inRoot("test-results/e2e"),
  reporter: "list",
  forbidOnly: true,
  // A test that passes only at the second try has found something.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    browserName: "chromium",
    headless: true,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    actionTimeout: 15_000,
    navigationTimeout: 20_000,
    launchOptions: {
      executablePath: process.env.AUTHSAFE_CHROME || process.env.CHROME || "/usr/bin/chromium",
      // The first is needed where tests run as root in a container; the others keep the browser from calling home.
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
      ],
    },
  },
});
