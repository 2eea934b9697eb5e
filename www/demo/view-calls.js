/** Calls of the protected API: one, fifty at once, and one with a credential that has just expired. */
import { announce, byId, count, h, setText } from "./dom.js";
import { secondsLeft } from "./dial.js";
import { busyWhile } from "./view-door.js";

const MANY = 50;

/**
 * @param {() => {auth: object, choice: object, address: string}} current What is in force when a button is pressed.
 * @param {{onError(error: unknown): void, log(title: string, detail: string): void, refreshes(): number}} report
 *   `refreshes` counts the renewals that this tab made since it was loaded.
 */
export function createCallsView(current, report) {
  let waiting;
  byId("call-api").addEventListener("click", () => busyWhile(byId("call-api"), () => run({ calls: 1 })));
  byId("call-api-post").addEventListener("click", () =>
    busyWhile(byId("call-api-post"), () => run({ calls: 1, method: "POST" })),
  );
  byId("call-api-50").addEventListener("click", () => busyWhile(byId("call-api-50"), () => run({ calls: MANY })));
  byId("call-expired").addEventListener("click", () => (waiting ? stopWaiting() : callWhenExpired()));

  return {
    show(state, { choice, address }) {
      const signedIn = state?.status === "authenticated";
      for (const id of ["call-api", "call-api-post", "call-api-50"]) byId(id).disabled = !signedIn;
      // Whoever waits may always stop waiting, also when the session ends meanwhile.
      byId("call-expired").disabled = !waiting && state?.session?.expiresAt === undefined;
      const where =
        choice.mode === "session" ? "the same origin, with the cookie" : "another origin, with the access token";
      setText(
        byId("calls-note"),
        signedIn ? `${address} (${where})` : "Sign in first; then these calls carry your credential.",
      );
      if (!waiting) setText(byId("expired-note"), expiredNote(choice));
    },
    /** The client changed: a call that still waits was meant for the old one. */
    reset() {
      stopWaiting();
      const result = byId("api-result");
      setText(result, "");
      for (const name of ["calls", "ok", "refreshes", "status", "busy"]) delete result.dataset[name];
      byId("api-body").hidden = true;
      byId("cells").hidden = true;
    },
  };

  async function run({ calls, method = "GET", note, refreshesBefore = report.refreshes() }) {
    const { auth, address } = current();
    const result = byId("api-result");
    // What an earlier run left must not be taken for this one's outcome.
    for (const name of ["calls", "ok", "refreshes", "status"]) delete result.dataset[name];
    result.dataset.busy = "";
    const cells = showCells(calls);
    const startedAt = performance.now();
    const outcomes = await Promise.all(
      cells.map(async (cell) => {
        const outcome = await callOnce(auth, address, method);
        cell.dataset.ok = outcome.status === 200 ? "yes" : "no";
        return outcome;
      }),
    );
    const elapsed = Math.round(performance.now() - startedAt);
    const ok = outcomes.filter(({ status }) => status === 200).length;
    const refreshes = report.refreshes() - refreshesBefore;
    const statuses = [...new Set(outcomes.map(({ status }) => status ?? "none"))].join(",");
    const failed = outcomes.find(({ error }) => error);
    if (current().auth !== auth) return;

    Object.assign(result.dataset, { calls, ok, refreshes, status: statuses });
    delete result.dataset.busy;
    const measured = `${ok} answered 200, ${count(refreshes, "renewal")}, ${elapsed} ms.`;
    const summary = `${count(calls, "call")}, ${measured}`;
    setText(result, note ? `${summary} ${note(refreshes, ok)}` : summary);
    showBody(outcomes.at(-1));
    report.log(count(calls, `${method} call`), measured);
    if (failed) report.onError(failed.error);
  }

  async function callWhenExpired() {
    const { auth, choice } = current();
    const { session } = auth.getState();
    const controller = new AbortController();
    waiting = controller;
    const refreshesBefore = report.refreshes();
    setText(byId("call-expired"), "Stop waiting");
    setText(byId("expired-note"), "Waiting for the end that the dial shows. The call goes out one second after it.");
    announce("Waiting for the credential to expire.");
    const came = await until(() => secondsLeft(session) === 0, controller.signal);
    if (!came) return;
    stopWaiting();
    await run({ calls: 1, refreshesBefore, note: (refreshes, ok) => expiredOutcome(choice, refreshes, ok) });
  }

  function stopWaiting() {
    waiting?.abort();
    waiting = undefined;
    setText(byId("call-expired"), "Call as soon as it has expired");
    const { auth, choice } = current();
    byId("call-expired").disabled = auth?.getState().session?.expiresAt === undefined;
    setText(byId("expired-note"), expiredNote(choice));
  }
}

async function callOnce(auth, address, method) {
  try {
    const body =
      method === "POST"
        ? { body: JSON.stringify({ from: "the demo" }), headers: { "content-type": "application/json" } }
        : {};
    const response = await auth.fetch(address, { method, ...body });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { error };
  }
}

/** Resolves to `true` a second after `condition` came true, to `false` when the signal called it off. */
function until(condition, signal) {
  return new Promise((resolve) => {
    let timer;
    const end = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    const look = () => {
      timer = condition() ? setTimeout(end, 1000, true) : setTimeout(look, 250);
    };
    signal.addEventListener("abort", () => end(false), { once: true });
    look();
  });
}

function expiredNote({ mode, renew }) {
  if (mode === "session") {
    return renew === "ahead"
      ? "The timer extends the session before its end, so the call finds it alive."
      : "A session that is over cannot be extended: this shows how the page learns of it.";
  }
  return renew === "ahead"
    ? "The timer renews the token before its end, so the call never meets an expired one. Choose “On use” to see the call itself renew it."
    : "The token ends, the call renews it first and then goes out. Let it end once more and press “50 calls at once”: still one renewal.";
}

function expiredOutcome({ mode, renew }, refreshes, ok) {
  if (ok === 0)
    return mode === "session" ? "The session was over, and the server said so." : "The call did not get through.";
  if (refreshes === 0) return "Nothing had to be renewed by this tab; another one did it.";
  return renew === "ahead" ? "The timer had renewed it before its end." : "The call renewed it first.";
}

function showCells(calls) {
  const cells = Array.from({ length: calls }, () => h("i"));
  byId("cells").replaceChildren(...cells);
  byId("cells").hidden = calls === 1;
  return cells;
}

function showBody({ text }) {
  const body = byId("api-body");
  body.hidden = !text;
  setText(body, pretty(text ?? ""));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
