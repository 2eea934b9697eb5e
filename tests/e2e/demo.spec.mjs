// The demo page, as a person uses it: a story in each mode, with a picture of every step.
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

const picture = (name) => fileURLToPath(new URL(`../../test-results/demo/${name}.png`, import.meta.url));

/** The page's elements by their hooks; see www/demo/main.js. */
function demo(page, pictures) {
  let step = 0;
  const by = (hook) => page.getByTestId(hook);
  return {
    page,
    by,
    async shoot(name, options) {
      if (pictures)
        await page.screenshot({ path: picture(`${pictures}-${++step}-${name}`), fullPage: true, ...options });
    },
    async isSignedIn() {
      await expect(by("status")).toHaveText("authenticated");
      await expect(by("user-name")).toContainText("Alice");
      await expect(by("expires-in")).toHaveAttribute("data-seconds", /^[1-9]\d*$/);
    },
    isSignedOut: () => expect(by("status")).toHaveText("unauthenticated"),
    async calls(hook, calls) {
      await by(hook).click();
      await expect(by("api-result")).toHaveAttribute("data-calls", String(calls));
      await expect(by("api-result")).toHaveAttribute("data-ok", String(calls));
    },
  };
}

async function typePassword({ by }) {
  await by("username").fill(ALICE.username);
  await by("password").fill(ALICE.password);
  await by("submit").click();
}

async function signInAtProvider({ page, by }) {
  await by("sign-in").click();
  await page.getByLabel("User name").fill(ALICE.username);
  await page.getByLabel("Password").fill(ALICE.password);
}

async function secondTab({ page, by }) {
  const opening = page.waitForEvent("popup");
  await by("second-tab").click();
  const second = demo(await opening);
  await second.isSignedIn();
  return second;
}

test("a person signs in with a session, calls the API, opens a second tab and signs out", async ({ page, servers }) => {
  const first = demo(page, "session");
  await page.goto(`${servers.config.pageUrl}/`);
  await first.isSignedOut();
  await first.shoot("signed-out");
  await first.by("username").fill(ALICE.username);
  await first.by("password").fill("wrong");
  await first.by("submit").click();
  await expect(first.by("error-code")).toHaveText("credentials_rejected");
  await first.shoot("wrong-password");
  await typePassword(first);
  await first.isSignedIn();
  await expect(first.by("error")).toHaveCount(0);
  await first.shoot("signed-in");
  const left = async () => Number(await first.by("expires-in").getAttribute("data-seconds"));
  const before = await left();
  await expect.poll(left, "the countdown runs").toBeLessThan(before);
  await first.calls("call-api", 1);
  await expect(first.by("api-body")).toContainText("Hello, Alice");
  await first.calls("call-api-post", 1);
  await first.calls("call-api-50", 50);
  await first.shoot("called-the-api");
  await first.by("refresh").click();
  await expect(first.by("refresh-count")).toHaveText("1");
  const second = await secondTab(first);
  await second.by("sign-out").click();
  await second.isSignedOut();
  await first.isSignedOut();
  await expect(first.by("reason")).toHaveText("logged_out_elsewhere");
  await first.shoot("signed-out-elsewhere");
});

test("a person signs in with tokens at the provider, renews, opens a second tab and signs out everywhere", async ({
  page,
  servers,
}) => {
  const first = demo(page, "token");
  await page.goto(`${servers.config.pageUrl}/`);
  // What is chosen before the page's script runs, nobody hears.
  await first.isSignedOut();
  await first.by("mode-token").check();
  await first.by("login-oidc").check();
  await first.by("storage-localStorage").check();
  await first.by("renew-on-use").check();
  await first.isSignedOut();
  await first.shoot("signed-out");
  await signInAtProvider(first);
  await first.shoot("at-the-provider");
  await page.getByRole("button", { name: "Sign in" }).click();
  await first.isSignedIn();
  expect(new URL(page.url()).searchParams.has("code")).toBe(false);
  await first.shoot("signed-in");
  await first.calls("call-api", 1);
  await first.calls("call-api-50", 50);
  await first.by("refresh").click();
  await expect(first.by("refresh-count")).toHaveText("1");
  await first.shoot("called-the-api");
  const second = await secondTab(first);
  await second.by("refresh").click();
  await expect(second.by("refresh-count")).toHaveText("1");
  await expect(first.by("refresh-count"), "the renewal of the other tab is seen").toHaveText("2");
  await page.reload();
  await first.isSignedIn();
  await second.by("sign-out").click();
  await first.isSignedOut();
  await expect(first.by("reason")).toHaveText("logged_out_elsewhere");
  await first.shoot("signed-out-elsewhere");
  await second.isSignedOut();
});

test("50 calls on an expired token are one renewal, and the page shows it", async ({ page, servers }) => {
  await page.clock.install();
  const first = demo(page, "expired");
  await page.goto(
    `${servers.config.pageUrl}/?mode=token&login=password&storage=sessionStorage&plaintext=yes&renew=on-use`,
  );
  await typePassword(first);
  await first.isSignedIn();
  await page.clock.fastForward("03:00");
  await expect(first.by("expires-in")).toHaveAttribute("data-seconds", "0");
  await first.shoot("expired");
  await first.calls("call-api-50", 50);
  await expect(first.by("api-result")).toHaveAttribute("data-refreshes", "1");
  await first.shoot("renewed");
});

for (const login of ["password", "password-cookie"]) {
  test(`a person signs in by ${login}, reloads and signs out`, async ({ page, servers }) => {
    const first = demo(page);
    await page.goto(`${servers.config.pageUrl}/?mode=token&login=${login}&storage=memory`);
    await typePassword(first);
    await first.isSignedIn();
    await first.calls("call-api", 1);
    await page.reload();
    if (login === "password-cookie") {
      await first.isSignedIn();
      await first.by("sign-out").click();
    }
    await first.isSignedOut();
  });
}

test("a server that is down is told on the page, which goes on when it is back", async ({ page, servers }) => {
  const first = demo(page, "fault");
  await page.goto(`${servers.config.pageUrl}/?mode=token&login=oidc&storage=memory`);
  await first.isSignedOut();
  await servers.provider.stop();
  await first.by("sign-in").click();
  await expect(first.by("error-code")).toHaveText("network_or_cors");
  await first.shoot("provider-down");
  await servers.provider.restart();
  await signInAtProvider(first);
  await page.getByRole("button", { name: "Sign in" }).click();
  await first.isSignedIn();
});

const modes = [
  ["session", "mode=session"],
  ["token", "mode=token&login=password&storage=localStorage&plaintext=yes"],
];
const devices = [
  ["desktop", { viewport: { width: 1280, height: 800 } }],
  ["phone", { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
];
/** What axe finds on the page. */
async function barriers(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
}
/** By how many pixels the page is wider than the window. */
const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

for (const colorScheme of ["light", "dark"]) {
  for (const [device, traits] of devices) {
    test.describe(`${colorScheme}, ${device}`, () => {
      test.use({ colorScheme, ...traits });

      for (const [mode, query] of modes) {
        test(`the page fits, and nothing stands in the way of people who use assistive technology (${mode})`, async ({
          page,
          servers,
        }) => {
          const first = demo(page, `${colorScheme}-${device}-${mode}`);
          await page.goto(`${servers.config.pageUrl}/?${query}`);
          await first.isSignedOut();
          expect(await barriers(page)).toEqual([]);
          expect(await overflow(page)).toBe(0);
          await first.shoot("signed-out");
          await first.by("username").fill(ALICE.username);
          await first.by("password").fill("wrong");
          await first.by("submit").click();
          await expect(first.by("error-code")).toHaveText("credentials_rejected");
          expect(await barriers(page), "with an error on it").toEqual([]);
          await typePassword(first);
          await first.isSignedIn();
          await first.calls("call-api-50", 50);
          expect(await barriers(page)).toEqual([]);
          expect(await overflow(page)).toBe(0);
          await first.shoot("signed-in");
        });
      }

      test("the provider's pages have no barrier either", async ({ page, servers }) => {
        await page.goto(`${servers.config.pageUrl}/?mode=token&login=oidc&storage=memory`);
        await demo(page).by("sign-in").click();
        await expect(page.getByLabel("User name")).toBeVisible();
        expect(await barriers(page)).toEqual([]);
        expect(await overflow(page)).toBe(0);
      });
    });
  }
}

test("the whole story can be told with the keyboard alone", async ({ page, servers }) => {
  const first = demo(page);
  await page.goto(`${servers.config.pageUrl}/?mode=session`);
  await first.isSignedOut();
  const tabTo = async (hook) => {
    for (let at = 0; at < 60; at++) {
      await page.keyboard.press("Tab");
      if (await first.by(hook).evaluate((element) => element === document.activeElement)) return;
    }
    throw new Error(`${hook} cannot be reached by the Tab key`);
  };
  await tabTo("username");
  await page.keyboard.type(ALICE.username);
  await tabTo("password");
  await page.keyboard.type(ALICE.password);
  await page.keyboard.press("Enter");
  await first.isSignedIn();
  await expect(page.locator(":focus")).not.toHaveCount(0);
  await tabTo("sign-out");
  await page.keyboard.press("Enter");
  await first.isSignedOut();
});
