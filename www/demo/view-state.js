/** What the client knows right now: status, user, what is left of the credential, and the facts of the session. */
import { byId, clockTime, h, setText, showOrHide } from "./dom.js";
import { createDial } from "./dial.js";
import { displayName, REASONS } from "./timeline.js";

const FRESHNESS = {
  fresh: "",
  refreshing: "Renewing now.",
  stale: "The credential has ended, or its last renewal failed. The next use tries again.",
  offline: "The server is out of reach; what you have stays good until its end.",
};

/**
 * @returns {{show(state: object | null, about: {choice: object, id: string, isolation: string, lifetimes: object}): void}}
 *   `null`: there is no client, because its options were refused.
 */
export function createStateView() {
  const dial = createDial();
  return {
    show(state, about) {
      const status = state?.status ?? "none";
      const session = state?.session;
      setText(byId("status"), status);
      byId("status").dataset.status = status;
      showChip("reason", state?.reason);
      showChip("freshness", state?.freshness);
      byId("freshness").dataset.freshness = state?.freshness ?? "";
      showOrHide(byId("user-name"), state?.user && displayName(state.user));
      setText(byId("state-sentence"), sentence(state));
      byId("facts").replaceChildren(...(session ? facts(state, about) : []));
      dial.show(session ? watchOf(session, about) : null);
    },
  };
}

function sentence(state) {
  switch (state?.status) {
    case undefined:
      return "No client: authsafe refused these options.";
    case "initializing":
      return "Starting …";
    case "unauthenticated":
      return `Nobody is signed in. ${REASONS[state.reason] ?? state.reason}`;
    case "authenticating":
      return state.via === "redirect" ? "On the way to the provider …" : "Signing in …";
    default:
      return FRESHNESS[state.freshness] ?? state.freshness;
  }
}

/** Name, value, and whether the value is for machines. What is not known is left out. */
function facts({ user, session }, { isolation }) {
  const rows = [
    ["Subject", user.sub ?? session.sub],
    ["E-mail", user.email],
    ["Ends", instant(session.expiresAt)],
    ["Ends for good", instant(session.absoluteExpiresAt ?? session.refreshExpiresAt)],
    ["Signed in", instant(session.authTime ?? session.issuedAt)],
    ["Scope", session.scope?.join(" ")],
    ["Clock", session.clockSkew ? `the server’s is ${Math.round(session.clockSkew)} s off` : undefined],
    ["Core runs in", isolation === "pending" ? undefined : `the ${isolation}`],
  ];
  return rows
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => {
      return h("div", {}, h("dt", {}, name), h("dd", {}, String(value)));
    });
}

function watchOf({ expiresAt, clockSkew }, { choice, id, lifetimes }) {
  const ahead = choice.renew === "ahead";
  const usual = (choice.mode === "session" ? lifetimes?.idleSeconds : lifetimes?.accessTokenSeconds) ?? 0;
  if (expiresAt === undefined) return { id, clockSkew, usual, label: "no end known", ended: "" };
  if (choice.mode === "session")
    return { id, expiresAt, clockSkew, usual, label: "left of the session", ended: "session over" };
  const ended = ahead ? "token expired" : "next call renews";
  return { id, expiresAt, clockSkew, usual, label: "left of the token", ended };
}

function showChip(id, text) {
  showOrHide(byId(id), text);
  const spoken = document.querySelector(`[data-when="${id}"]`);
  spoken.hidden = !text;
}

function instant(epochSeconds) {
  return epochSeconds === undefined ? undefined : clockTime(new Date(epochSeconds * 1000));
}
