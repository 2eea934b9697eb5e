// Chromium as people have it. Playwright tells each of its pages that it has the focus, so that none is ever hidden, and none can
// be frozen; and a page that is attached to as Playwright does it cannot be prerendered.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../playwright.config.mjs";

const { executablePath, args } = config.use.launchOptions;

async function start(door, stdio) {
  const home = await mkdtemp(join(tmpdir(), "authsafe-chromium-"));
  const flags = ["--headless=new", ...args, `--user-data-dir=${home}`, door, "about:blank"];
  const child = spawn(executablePath, flags, { stdio });
  const over = new Promise((resolve) => child.once("exit", resolve));
  const end = async () => {
    child.kill("SIGKILL");
    await over;
    // Its helpers may write for a moment longer.
    await rm(home, { recursive: true, force: true, maxRetries: 20 });
  };
  return { child, end };
}

/** A browser whose tabs are hidden behind each other, for Playwright: its one context. */
export async function startRealTabs({ chromium }) {
  const { child, end } = await start("--remote-debugging-port=0", ["ignore", "ignore", "pipe"]);
  const address = await new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
      const found = /ws:\/\/\S+/.exec(said);
      if (found) resolve(found[0]);
    });
    child.once("exit", () => reject(new Error(`the browser ended: ${said}`)));
  });
  const browser = await chromium.connectOverCDP(address, { noDefaults: true });
  const close = async () => {
    await browser.close();
    await end();
  };
  return { context: browser.contexts()[0], close };
}

/** A browser of which nothing is known but its protocol: `open(url, script)` gives a tab that may prerender others. */
export async function startRaw() {
  const { child, end } = await start("--remote-debugging-pipe", ["ignore", "ignore", "ignore", "pipe", "pipe"]);
  const [waiting, listeners] = [new Map(), new Set()];
  let count = 0;
  let text = "";
  child.stdio[4].on("data", (chunk) => {
    const messages = (text + chunk).split("\0");
    text = messages.pop();
    for (const message of messages.map((each) => JSON.parse(each))) {
      const { id, error, result } = message;
      if (!id) for (const listener of listeners) listener(message);
      else if (error) waiting.get(id).reject(new Error(error.message));
      else waiting.get(id).resolve(result);
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      waiting.set(++count, { resolve, reject });
      child.stdio[3].write(`${JSON.stringify({ id: count, method, params, sessionId })}\0`);
    });

  /** `script` runs first in every page of the tab; `page(kind)` is the page in it, once it is there. */
  const open = async (url, script) => {
    const pages = [];
    const follow = ({ method, params }) => {
      if (method !== "Target.attachedToTarget" || params.targetInfo.type !== "page") return;
      const { sessionId, targetInfo } = params;
      // A page that waits for its debugger answers in its own order.
      void send("Page.enable", {}, sessionId);
      void send("Page.addScriptToEvaluateOnNewDocument", { source: script }, sessionId);
      void send("Runtime.runIfWaitingForDebugger", {}, sessionId);
      pages.push({
        kind: targetInfo.subtype ?? "shown",
        evaluate: (work, ...given) => evaluate(sessionId, work, given),
      });
    };
    listeners.add(follow);
    const { targetId } = await send("Target.createTarget", { url: "about:blank", forTab: true });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    await send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }, sessionId);
    const page = (kind) => pages.find((one) => one.kind === kind);
    await until(() => page("shown"));
    await page("shown").evaluate((url) => void (location.href = url), url);
    return { page };
  };

  const evaluate = async (sessionId, work, given) => {
    const expression = `(${work})(${given.map((each) => JSON.stringify(each)).join(", ")})`;
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", asked, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return { open, close: end };
}

/** Waits until this is there. */
async function until(look) {
  while (!look()) await new Promise((resolve) => setTimeout(resolve, 20));
}
