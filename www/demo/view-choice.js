/** The form on which mode, sign-in, storage and renewal are chosen. */
import { byId, setText } from "./dom.js";
import { needsConsent } from "./config.js";

const NAMES = {
  oidc: "OpenID redirect",
  password: "password",
  "password-cookie": "password and refresh cookie",
  "double-submit": "double-submit cookie",
  synchronizer: "synchronizer token",
  "static-header": "static header",
};

const NOTES = {
  session: "The server. The browser carries an HttpOnly cookie.",
  token: "The client. It sends an access token with each call.",
  "double-submit": "A cookie that script may read is repeated in a header. Another site cannot read it.",
  synchronizer: "The server hands out a token with the session and wants it back in a header.",
  "static-header": "Any header of its own will do: a form on another site cannot send one.",
  ahead: "A timer renews before the end. You never wait for it.",
  "on-use": "Nothing happens until a call needs the credential.",
};

/**
 * @param {(choice: import("./config.js").Choice) => void} onChange
 * @returns {{show(choice: import("./config.js").Choice, id: string): void, fold(): void}}
 */
export function createChoiceView(onChange) {
  const form = byId("choice");
  let shown;

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const next = readForm(form, shown);
    // Consent belongs to the medium it was given for.
    if (next.storage !== shown.storage) next.plaintext = "no";
    onChange(next);
  });

  return {
    show(choice, id) {
      shown = choice;
      fillForm(form, choice);
      const session = choice.mode === "session";
      byId("csrf-field").hidden = !session;
      byId("login-field").hidden = session;
      byId("storage-field").disabled = session;
      byId("storage-reason").hidden = !session;
      byId("plaintext-field").hidden = !needsConsent(choice);
      setText(byId("mode-note"), NOTES[choice.mode]);
      setText(byId("csrf-note"), NOTES[choice.csrf]);
      setText(byId("renew-note"), NOTES[choice.renew]);
      setText(byId("client-id"), id);
      setText(byId("choice-summary"), summary(choice));
    },
    /** On a narrow screen the choice stands above everything else; once it is made, it makes room. */
    fold() {
      if (matchMedia("(max-width: 44rem)").matches) byId("choice-panel").open = false;
    },
  };
}

/** The choice in a few words. */
export function summary({ mode, csrf, login, storage, renew }) {
  const renewal = renew === "ahead" ? "renewed ahead of time" : "renewed on use";
  return mode === "session" ? `Session, ${NAMES[csrf]}, ${renewal}` : `Token, ${NAMES[login]}, ${storage}, ${renewal}`;
}

function readForm(form, before) {
  const fields = form.elements;
  return {
    mode: fields.mode.value,
    csrf: fields.csrf.value,
    login: fields.login.value || before.login,
    storage: fields.storage.value || before.storage,
    renew: fields.renew.value,
    plaintext: fields.plaintext.checked ? "yes" : "no",
  };
}

function fillForm(form, choice) {
  for (const name of ["mode", "csrf", "login", "storage", "renew"]) form.elements[name].value = choice[name];
  form.elements.plaintext.checked = choice.plaintext === "yes";
}
