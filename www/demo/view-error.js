/** The error card: what happened, what helps, and whether trying again makes sense. */
import { AuthError } from "/authsafe/dist/index.js";
import { byId, h, prefersReducedMotion, withCode } from "./dom.js";

const RECOVERY = {
  retry: "Try the same again, perhaps a little later.",
  login: "Sign in again.",
  fix_config: "The developer has to change the configuration or the deployment.",
  none: "Nothing: no action is needed.",
};

/** Shows the card. It is an alert, so it is read out at once. */
export function showError(error) {
  const slot = byId("error");
  const shown = slot.firstElementChild;
  const card = render(facts(error));
  // The same failure often arrives twice, by a rejected call and by the state; it is told once.
  if (shown?.textContent === card.textContent) return;
  slot.replaceChildren(card);
  card.scrollIntoView({ block: "nearest", behavior: prefersReducedMotion() ? "auto" : "smooth" });
}

export function clearError() {
  byId("error").replaceChildren();
}

function render({ code, message, hint, recovery, retryable, details }) {
  const row = (name, value, testid) =>
    h("div", {}, h("dt", {}, name), h("dd", testid ? { "data-testid": testid } : {}, ...withCode(value)));
  return h(
    "section",
    { class: "card error", "data-testid": "error", "aria-labelledby": "error-title" },
    h(
      "h2",
      { id: "error-title" },
      h("span", { class: "sr-only" }, "Error: "),
      h("code", { "data-testid": "error-code" }, code),
    ),
    h("p", { class: "message" }, ...withCode(message)),
    h(
      "dl",
      { class: "facts" },
      hint ? row("Hint", hint, "error-hint") : null,
      recovery ? row("Recovery", RECOVERY[recovery] ?? recovery, "error-recovery") : null,
      row("Retryable", retryable ? "yes" : "no", "error-retryable"),
      ...details.map(([name, value]) => row(name, value)),
    ),
    h("button", { type: "button", class: "small", "data-testid": "error-dismiss", onclick: dismiss }, "Dismiss"),
  );
}

function dismiss() {
  clearError();
  byId("state-title").focus({ preventScroll: true });
}

function facts(error) {
  if (!AuthError.is(error)) {
    return {
      code: error?.name ?? "Error",
      message: error?.message ?? String(error),
      hint: "Not an AuthError: auth.fetch fails as window.fetch does when a server is out of reach.",
      retryable: true,
      details: [],
    };
  }
  const { code, message, hint, recovery, retryable } = error;
  const details = [
    ["During", error.phase],
    ["HTTP status", error.status],
    ["Wait", error.retryAfterSeconds === undefined ? undefined : `${error.retryAfterSeconds} s`],
    ["OAuth error", error.oauth && [error.oauth.error, error.oauth.error_description].filter(Boolean).join(": ")],
  ].filter(([, value]) => value !== undefined && value !== null);
  return { code, message, hint, recovery, retryable, details: details.map(([name, value]) => [name, String(value)]) };
}
