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
  // Only a story that hangs reaches these, however busy the machine is.
  timeout: 180_000,
  expect: { timeout: 60_000 },
  use: {
    browserName: "chromium",
    headless: true,
    // A recording of the screen costs more than the story itself; the pictures that matter are in `screenshot`.
    trace: { mode: "retain-on-failure", snapshots: true, screenshots: false },
    screenshot: "only-on-failure",
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    // Nothing is judged or photographed in the middle of a movement.
    contextOptions: { reducedMotion: "reduce" },
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
