// The demo's laboratory: an attack on the client in force, and what arrives at the thief's server.
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

const picture = (name) => fileURLToPath(new URL(`../../test-results/demo/lab-${name}.png`, import.meta.url));

async function signIn(page, servers, query) {
  await page.goto(`${servers.config.pageUrl}/?${query}`);
  await page.getByTestId("username").fill(ALICE.username);
  await page.getByTestId("password").fill(ALICE.password);
  await page.getByTestId("submit").click();
  await expect(page.getByTestId("status")).toHaveText("authenticated");
}

async function attack(page, id) {
  await page.getByTestId("lab-attack").selectOption(id);
  await page.getByTestId("lab-run").click();
  await expect(page.getByTestId("lab-result")).toHaveAttribute("data-got", /^/);
  return page.getByTestId("lab-result").getAttribute("data-got");
}

test("nothing is there to steal before the sign-in", async ({ page, servers }) => {
  await page.goto(`${servers.config.pageUrl}/?mode=token&login=password`);
  await expect(page.getByTestId("status")).toHaveText("unauthenticated");
  await expect(page.getByTestId("lab-run")).toBeDisabled();
});

test("a thief gets no token out of a worker that keeps it in memory, and can use it while the page is open", async ({
  page,
  servers,
}) => {
  await signIn(page, servers, "mode=token&login=password&storage=memory");
  for (const id of ["storage", "listen", "second", "send", "use"]) expect(await attack(page, id), id).toBe("");
  await expect(page.getByTestId("lab-result")).toContainText("the API’s answer");
});

test("a thief gets no token in session mode", async ({ page, servers }) => {
  await signIn(page, servers, "mode=session&csrf=double-submit");
  for (const id of ["storage", "listen", "second", "send", "use"]) expect(await attack(page, id), id).toBe("");
});

test("a thief copies tokens that are stored as plain text", async ({ invariants, page, servers }) => {
  invariants.breaks("I7", "what is stored as plain text is there for script to take, and this one sends it to itself");
  await signIn(page, servers, "mode=token&login=password&storage=localStorage&plaintext=yes");
  expect(await attack(page, "storage")).toBe("access token,refresh token");
  await expect(page.getByTestId("lab-loot").locator("li")).toHaveCount(2);
  await page.getByTestId("lab-result").scrollIntoViewIfNeeded();
  await page.locator(".lab").screenshot({ path: picture("plaintext") });
  const { violations } = await new AxeBuilder({ page }).include(".lab").analyze();
  expect(violations).toEqual([]);
  expect(await attack(page, "second")).toBe("access token");
  expect(await attack(page, "send")).toBe("");
});
