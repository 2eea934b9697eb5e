// Browsers that lack something, or in which a test stops what it likes: a script that runs before everything else.
import { fileURLToPath } from "node:url";

/** For `before` of `visit`: the page runs `script` of pages/ first, and so does its worker, which is `worker` of pages/. */
export function environment(script, worker) {
  return async (page) => {
    await page.addInitScript({ path: fileURLToPath(new URL(`../pages/${script}`, import.meta.url)) });
    await page.addInitScript((worker) => (window.workerScript = worker), worker);
  };
}

/** The realm that the core of this tab runs in. */
export const realmOf = ({ page }) => page.workers()[0] ?? page;

/** Keeps a realm from doing anything, as an endless loop does, or a debugger; until what this gives is called. */
export async function hang(realm, context) {
  const address = `**/hang-${Math.random()}`;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let answered;
  const reached = new Promise((resolve) => {
    answered = context.route(address, async (route) => {
      resolve();
      await held;
      await route.fulfill({ body: "" }).catch(() => {});
    });
  });
  await answered;
  const over = realm.evaluate(
    (address) => {
      const request = new XMLHttpRequest();
      request.open("GET", address, false);
      request.send();
    },
    address.replace("**", ""),
  );
  await reached;
  return async () => {
    release();
    await over;
    await context.unroute(address);
  };
}
