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
