/** The timeline: what happened, newest first, with the time. Not a live region; `announce` says what matters aloud. */
import { byId, clockTime, count, duration, h, setText } from "./dom.js";

const LIMIT = 60;

/** @returns {{add(kind: string, title: string, detail?: string): void}} `kind` is an event's name, or the page's own. */
export function createTimeline() {
  const list = byId("timeline");
  let refreshes = 0;
  return {
    add(kind, title, detail) {
      if (kind === "refreshed") {
        refreshes += 1;
        setText(byId("refresh-count"), String(refreshes));
        setText(byId("refresh-word"), refreshes === 1 ? "renewal" : "renewals");
      }
      const now = new Date();
      list.prepend(
        h(
          "li",
          { dataset: { kind } },
          h("time", { datetime: now.toISOString() }, clockTime(now)),
          h("i", { "aria-hidden": "true" }),
          h("p", {}, h("strong", {}, title), detail ? h("span", {}, detail) : null),
        ),
      );
      while (list.children.length > LIMIT) list.lastElementChild.remove();
    },
  };
}

/** An event of the client in words: `[title, detail, announcement]`. */
export function wordsForEvent(name, detail) {
  switch (name) {
    case "signedIn":
      return [
        `Signed in as ${displayName(detail.user)}`,
        ORIGINS[detail.origin],
        `Signed in as ${displayName(detail.user)}.`,
      ];
    case "signedOut":
      return [
        "Signed out",
        `${REASONS[detail.reason] ?? detail.reason} ${ORIGINS[detail.origin] ?? ""}`.trim(),
        "Signed out.",
      ];
    case "userChanged":
      return [
        "Another user",
        `${displayName(detail.previous)} became ${displayName(detail.current)}.`,
        "Another user is signed in.",
      ];
    case "refreshed":
      return ["Renewed", `${ORIGINS[detail.by]}${untilText(detail.expiresAt)}`];
    case "refreshFailed":
      return [
        detail.fatal ? "Renewal failed for good" : "Renewal failed",
        `${detail.error.code}${detail.willRetryAt ? `; tried again at ${clockTime(new Date(detail.willRetryAt * 1000))}` : ""}`,
        detail.fatal ? "Renewal failed. Sign in again." : undefined,
      ];
    case "expiring":
      return [
        "Ends soon",
        `${count(Math.round(detail.secondsLeft), "second")} left, and nothing renews it by itself.`,
        "Ends soon.",
      ];
    case "storageDegraded":
      return ["Storage degraded", `${detail.wanted} is not available (${detail.cause}); using ${detail.using}.`];
    case "isolationDegraded":
      return ["Isolation degraded", detail.cause];
    default:
      return [name, undefined];
  }
}

/** A change of state in words. */
export function wordsForState(state) {
  const details = {
    unauthenticated: () => state.reason,
    authenticating: () => (state.via === "redirect" ? "by redirect" : "by password"),
    authenticated: () => state.freshness,
    initializing: () => undefined,
  };
  return [state.status, details[state.status]?.()];
}

/** What to call this person. */
export function displayName(user) {
  return String(user?.name ?? user?.preferred_username ?? user?.sub ?? "somebody");
}

/** Why nobody is signed in, as a sentence. */
export const REASONS = {
  never: "You have not signed in yet.",
  logged_out: "You signed out.",
  logged_out_elsewhere: "You signed out in another tab.",
  expired: "The session reached its end.",
  revoked: "The server ended the session.",
  storage_lost: "What was stored is gone or unreadable.",
  user_changed: "Somebody else signed in.",
  error: "Something went wrong.",
};

const ORIGINS = {
  "this-tab": "By this tab.",
  "other-tab": "By another tab.",
  restored: "Found again after loading the page.",
  server: "By the server.",
};

function untilText(expiresAt) {
  if (expiresAt === undefined) return "";
  const left = Math.max(0, Math.ceil(expiresAt - Date.now() / 1000));
  return ` Good for ${duration(left)}.`;
}
