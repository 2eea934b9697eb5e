// Follows a test for the checker: what its tabs tell, which requests they make, what the servers get; and looks at the tabs when
// the test is over. See `invariants.mjs` for what is judged.
import { KINDS, violations } from "./invariants.mjs";
import { listen } from "./wire.mjs";

/** A page that has not answered by then hangs. */
const PATIENCE = 30_000;
/** What one tab tells, the others have heard by then. */
const SOON = 10_000;
/** Of tabs that share a session, so many renew it once more when all is over. */
const TRIED = 3;
/** What a promise of the library may take at most: the longest of its own deadlines, on the clock of the test. */
const LONGEST_SECONDS = 120;

export async function watch(context) {
  const seen = { exchanges: listen(), requests: [], told: [], ends: [], texts: [] };
  const [pages, requests, crashed] = [[], [], new Set()];
  const declared = new Map();
  const numberOf = (page) => {
    if (!pages.includes(page)) pages.push(page);
    return pages.indexOf(page) + 1;
  };

  await context.exposeBinding("tellChecker", ({ page }, load, place, kind, text) => {
    seen.told.push({ tab: numberOf(page), load, place, at: Date.now(), kind, value: JSON.parse(text) });
  });
  context.on("page", (page) => {
    numberOf(page);
    page.on("crash", () => crashed.add(page));
  });
  context.on("console", (message) => seen.texts.push({ where: "the console", text: message.text() }));
  context.on("weberror", (webError) =>
    seen.texts.push({ where: "an uncaught error", text: String(webError.error().stack) }),
  );
  context.on("request", (request) => {
    if (request.url().startsWith("http")) requests.push({ request, at: Date.now() });
  });

  let clock;
  let checked = false;
  return {
    /** The clock of the test, by which its promises end. */
    goesBy: (value) => (clock = value),

    /** Says that this test brings about what otherwise must not be, and why. It fails where it then does not happen. */
    breaks: (kind, why) => declare(kind, why, true),
    /** The same, where chance decides. */
    mayBreak: (kind, why) => declare(kind, why, false),

    /** Looks at the tabs, once; what was found and not declared, or declared and not found. */
    async check({ passed }) {
      if (checked) return [];
      checked = true;
      if (passed) {
        // Whatever stood in the way, the test is over.
        await context.unrouteAll({ behavior: "ignoreErrors" });
        await context.setOffline(false);
        seen.ends = await ends();
      }
      seen.requests = requests.flatMap(({ request, at }) => {
        const tab = tabOf(request);
        const { authorization } = request.headers();
        // Without an answer it is not known when it left.
        const { startTime } = request.timing();
        const begun = startTime > 0 ? startTime : at;
        return tab ? [{ tab, at, begun, url: request.url(), authorization, body: request.postData() ?? "" }] : [];
      });
      const found = violations(seen);
      const unexpected = found.filter(({ kind }) => !declared.has(kind)).map(({ kind, what }) => `${kind}: ${what}`);
      const stale = [...declared].filter(([kind, { certain }]) => certain && !found.some((one) => one.kind === kind));
      return [
        ...unexpected,
        ...(passed ? stale.map(([kind, { why }]) => `${kind} was declared (${why}), and it held`) : []),
      ];
    },
    declared,
  };

  function declare(kind, why, certain) {
    if (!(kind in KINDS) || !why) throw new Error(`${kind} cannot be declared`);
    declared.set(kind, { why, certain });
  }

  function tabOf(request) {
    try {
      const page = request.frame().page();
      return page && numberOf(page);
    } catch {
      // Its page is gone, or was never there.
      return undefined;
    }
  }

  /** The tabs of `bare.js` that are left. */
  async function ends() {
    const living = pages.filter((page) => !page.isClosed() && !crashed.has(page));
    const looks = await Promise.all(living.map(async (page) => ({ tab: numberOf(page), page, ...(await look(page)) })));
    const [tabs, waiting] = [looks.filter(({ state }) => state), looks.filter(({ pending }) => pending?.length)];
    if (waiting.length) {
      await clock?.letPass(LONGEST_SECONDS);
      for (const one of waiting)
        one.pending = await eventually(
          () => pendingIn(one.page),
          ({ length }) => length === 0,
        );
    }
    let tried = 0;
    for (const one of tabs) {
      const may = one.state.status === "authenticated" && one.mode === "token" && !one.pending.length;
      if (may && tried++ < TRIED) Object.assign(one, await tryInPage(one));
    }
    // What one of them did last, the others are yet to hear of.
    const sharing = tabs.filter(({ medium }) => medium);
    const all = () =>
      Promise.all(sharing.map(async ({ page, medium }) => [medium, (await look(page)).who ?? "unknown"]));
    const agreed = (shown) => shown.every(([medium, who]) => shown.every((other) => agree([medium, who], other)));
    const shown = await eventually(all, agreed, SOON);
    sharing.forEach((one, at) => ([, one.who] = shown[at]));
    return tabs.map(({ page, ...rest }) => rest);
  }
}

/** Whether two tabs show the same user, as those must that share a medium. */
function agree([medium, who], [otherMedium, otherWho]) {
  return medium !== otherMedium || who === otherWho || [who, otherWho].includes("unknown");
}

async function tryInPage({ page, address }) {
  try {
    return await inTime(page.evaluate(tryOnce, address));
  } catch (error) {
    // A page that is left meanwhile tells nothing.
    return error === TOO_LATE ? { pending: ["what the checker began"] } : {};
  }
}

async function pendingIn(page) {
  return inTime(page.evaluate(() => Object.values(window.pending ?? {}))).catch(() => ["the page"]);
}

const look = (page) =>
  inTime(
    page.evaluate(() => {
      if (!window.auth || !window.pending) return {};
      const { error, ...state } = window.auth.getState();
      const { mode, id, storage, allowedOrigins: [address] = [] } = window.authOptions ?? {};
      const kind = mode === "session" ? mode : (storage?.kind ?? storage);
      const isShared = ["session", "localStorage", "indexedDB", "cookie", "custom"].includes(kind);
      const known = { authenticated: state.user?.sub, locked: state.user?.sub, unauthenticated: "nobody" };
      return {
        mode,
        state,
        pending: Object.values(window.pending),
        address: address?.origin ?? address,
        medium: isShared ? `${kind} ${id}` : undefined,
        who: known[state.status],
        degraded: window.record.events.some(({ name }) => name === "storageDegraded"),
      };
    }),
  ).catch((error) => (error === TOO_LATE ? { state: {}, pending: ["the page"] } : {}));

/** A call with the token in force, and then a renewal: what became of them. Runs in the page. */
async function tryOnce(address) {
  const { expiresAt = 0, clockSkew = 0 } = window.auth.getState().session ?? {};
  // A token that ends while it is looked at is none that lives.
  const alive = expiresAt - clockSkew - Date.now() / 1000 > 5;
  const call = address && (await window.attempt(async () => (await window.auth.fetch(`${address}/api/hello`)).status));
  const state = { ...window.auth.getState() };
  delete state.error;
  const renewal = await window.attempt(async () => (await window.auth.refresh()).status);
  return { alive, call, state, renewal };
}

const TOO_LATE = new Error("the page hangs");

async function inTime(promise) {
  let timer;
  const late = new Promise((resolve, reject) => (timer = setTimeout(() => reject(TOO_LATE), PATIENCE)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until it is so, for as long as a page may take. */
async function eventually(ask, isSo, patience = PATIENCE) {
  const end = Date.now() + patience;
  let value = await ask();
  while (!isSo(value) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    value = await ask();
  }
  return value;
}
