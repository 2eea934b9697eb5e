/** The ways in and out: the sign-in by password or redirect, and what a person does who is signed in. */
import { describeStorage } from "/authsafe/dist/index.js";
import { addressOf } from "./config.js";
import { byId, h, setText } from "./dom.js";

/**
 * @param {object} actions What the buttons do. Each may return a promise; its button is off until that has settled.
 * @param {(credentials: {username: string, password: string}) => Promise<void>} actions.signInByPassword
 * @param {() => Promise<void>} actions.signInByRedirect
 * @param {() => Promise<void>} actions.refresh
 * @param {(scope: "local" | "provider") => Promise<void>} actions.signOut
 * @param {{username: string, password: string}[]} users Whom the demo knows.
 */
export function createDoorView(actions, users) {
  const form = byId("password-form");
  const { username, password } = form.elements;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const credentials = { username: username.value, password: password.value };
    busyWhile(form.querySelector("[type=submit]"), () => actions.signInByPassword(credentials));
  });
  onPress("sign-in", actions.signInByRedirect);
  // The Back button may bring this very page back from the provider, with the press that left it still unsettled.
  addEventListener("pageshow", ({ persisted }) => persisted && byId("sign-in").removeAttribute("aria-disabled"));
  onPress("refresh", actions.refresh);
  onPress("sign-out-local", () => actions.signOut("local"));
  onPress("sign-out", () => actions.signOut("provider"));

  const fill = (user) => {
    username.value = user.username;
    password.value = user.password;
    form.querySelector("[type=submit]").focus();
  };
  byId("demo-users").replaceChildren(
    ...users.map((user) =>
      h("button", { type: "button", class: "small", onclick: () => fill(user) }, `${user.username} / ${user.password}`),
    ),
  );

  return {
    /** @param {object | null} state `null`: there is no client. */
    show(state, choice) {
      const signedIn = state?.status === "authenticated";
      const signedOut = state?.status === "unauthenticated" || state?.status === "authenticating";
      const byRedirect = choice.mode === "token" && choice.login === "oidc";
      const hadFocus = document.activeElement?.closest(".door");
      if (signedIn) form.reset();
      byId("signed-in").hidden = !signedIn;
      byId("signed-out").hidden = !signedOut;
      form.hidden = byRedirect;
      byId("redirect-form").hidden = !byRedirect;
      // A focus that stood in the part that has gone would be lost; the heading of what is new takes it.
      if (hadFocus?.hidden) byId("state-title").focus({ preventScroll: true });
      setText(byId("redirect-note"), "The page leaves for the provider and comes back to /callback with a code.");
      setText(byId("refresh"), choice.mode === "session" ? "Extend now" : "Renew now");
      setText(
        byId("sign-out"),
        choice.mode === "session" || !byRedirect ? "Sign out at the server" : "Sign out everywhere",
      );
      byId("second-tab").setAttribute("href", addressOf(choice));
      setText(byId("second-tab-note"), secondTabNote(choice));
    },
  };
}

/** Runs `work` with the button off, so that nothing is sent twice; the button keeps its focus and its name. */
export async function busyWhile(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function onPress(id, work) {
  byId(id).addEventListener("click", () => busyWhile(byId(id), work));
}

function secondTabNote(choice) {
  if (choice.mode === "session") return "Both tabs share the cookie: sign out in one, and the other follows.";
  if (choice.login === "password-cookie")
    return "Both tabs share the refresh cookie: sign out in one, and watch the other.";
  return describeStorage(choice.storage).sharedAcrossTabs
    ? `Both tabs share ${choice.storage}: renew or sign out in one, and the other follows.`
    : `${choice.storage === "memory" ? "Memory" : choice.storage} belongs to one tab, so the second one begins signed out. Sign in there, too, and a sign-out reaches both.`;
}
