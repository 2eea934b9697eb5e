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

/** The claims that the panel shows, by name. */
const shownClaims = async ({ by }) =>
  Object.fromEntries(
    await by("token-claims")
      .locator("tr")
      .evaluateAll((rows) => rows.map((row) => [row.dataset.claim, row.cells[1].textContent])),
  );

/** Presses a button of the panel; gives the code of the refusal, empty for none. */
async function verifies({ by }, hook) {
  await by(hook).click();
  await expect(by("token-result")).toHaveAttribute("data-code", /^/);
  return by("token-result").getAttribute("data-code");
}

test("the page shows the verified claims of Alice, and only while she is signed in by a token", async ({
  page,
  servers,
}) => {
  const first = demo(page);
  const { pageUrl, issuer, clientId } = servers.config;
  await page.goto(`${pageUrl}/?mode=token&login=oidc&storage=localStorage`);
  await first.isSignedOut();
  await expect(first.by("token-panel")).toBeHidden();
  await signInAtProvider(first);
  await page.getByRole("button", { name: "Sign in" }).click();
  await first.isSignedIn();
  await expect(first.by("token-claims").locator("tr")).not.toHaveCount(0);
  expect(await shownClaims(first)).toMatchObject({
    iss: issuer,
    sub: "user-1001",
    aud: clientId,
    name: "Alice Liddell",
    exp: expect.stringMatching(/^(59:\d\d|1:00:00) left, until \d\d:\d\d:\d\d$/),
    iat: expect.stringMatching(/^\d\d:\d\d:\d\d$/),
    nonce: expect.any(String),
  });
  const exp = first.by("token-claims").locator("#token-exp");
  const before = await exp.textContent();
  await expect(exp, "the time left runs").not.toHaveText(before);
  await first.by("mode-session").check();
  await first.isSignedOut();
  await expect(first.by("token-panel")).toBeHidden();
  await first.by("mode-token").check();
  await first.isSignedIn();
  await expect(first.by("token-claims").locator("[data-claim=sub]")).toContainText("user-1001");
  await first.by("sign-out-local").click();
  await first.isSignedOut();
  await expect(first.by("token-panel")).toBeHidden();
  await expect(first.by("token-claims")).not.toContainText("Alice");
});

test("a backend that issues no ID token is told apart", async ({ page, servers }) => {
  const first = demo(page);
  await page.goto(`${servers.config.pageUrl}/?mode=token&login=password&storage=memory`);
  await typePassword(first);
  await first.isSignedIn();
  await expect(first.by("token-panel")).toContainText("There is none");
  await expect(first.by("token-as-signed")).toBeHidden();
});

for (const [device, viewport] of [
  ["desktop", { width: 1280, height: 900 }],
  ["phone", { width: 390, height: 844 }],
]) {
  test(`each way to tamper with a token is refused with its own code, and changes nothing (${device})`, async ({
    page,
    servers,
  }) => {
    await page.setViewportSize(viewport);
    const first = demo(page, `token-panel-${device}`);
    const loads = [];
    page.on("request", (request) => /jwt/.test(request.url()) && loads.push(new URL(request.url()).pathname));
    await page.goto(`${servers.config.pageUrl}/?mode=token&login=oidc&storage=localStorage&renew=on-use`);
    await signInAtProvider(first);
    await page.getByRole("button", { name: "Sign in" }).click();
    await first.isSignedIn();
    await expect(first.by("token-claims").locator("tr")).not.toHaveCount(0);
    const verdict = first.by("token-verdict");
    const whoIsSignedIn = async () => [await shownClaims(first), await first.by("user-name").textContent()];
    const [{ exp: _, ...claims }, user] = await whoIsSignedIn();
    expect(loads).not.toContain("/authsafe/dist/jwt.js");

    expect(await verifies(first, "token-as-signed")).toBe("");
    await expect(verdict).toContainText("RS256, with the key rs256-");
    await expect(verdict).toContainText("Alice Liddell, user-1001");
    await first.shoot("as-signed", { fullPage: false });
    for (const [hook, code, says, place] of [
      ["token-claim", "id_token_signature_invalid", "The signature of the ID token is not", '"sub":"user-1002"'],
      ["token-signature", "id_token_signature_invalid", "The signature of the ID token is not", "…"],
      ["token-none", "id_token_malformed", "It is not signed.", '"alg":"none", and no signature'],
    ]) {
      expect(await verifies(first, hook), hook).toBe(code);
      await expect(first.by("token-result")).toHaveText(`Refused: ${code}.`);
      for (const part of ["Code", code, says, place, "Hint"]) await expect(verdict).toContainText(part);
      await verdict.scrollIntoViewIfNeeded();
      await first.shoot(hook, { fullPage: false });
    }
    for (const colorScheme of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme });
      expect(await barriers(page), colorScheme).toEqual([]);
      await first.by("token-panel").screenshot({ path: picture(`token-panel-${device}-${colorScheme}`) });
    }
    expect(await overflow(page)).toBe(0);

    await first.isSignedIn();
    const [{ exp: __, ...after }, userAfter] = await whoIsSignedIn();
    expect([after, userAfter]).toEqual([claims, user]);
    await expect(first.by("refresh-count")).toHaveText("0");
    await expect(first.by("error")).toHaveCount(0);
    await first.calls("call-api", 1);
    await page.reload();
    await first.isSignedIn();
  });
}

test("where the provider knows nobody any more, or is down, there is no token to try and nobody is signed out", async ({
  page,
  context,
  servers,
}) => {
  const first = demo(page);
  await page.goto(`${servers.config.pageUrl}/?mode=token&login=oidc&storage=memory`);
  await signInAtProvider(first);
  await page.getByRole("button", { name: "Sign in" }).click();
  await first.isSignedIn();
  await context.clearCookies();
  await first.by("token-claim").click();
  await expect(first.by("token-result")).toHaveText("The provider gave no token to try (login_required).");
  await servers.provider.stop();
  await first.by("token-claim").click();
  await expect(first.by("token-result")).toHaveText("The provider cannot be reached, so there is no token to try.");
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
