/** What the choice means: session against token, and each storage in the words of `describeStorage`. */
import { describeStorage } from "/authsafe/dist/index.js";
import { byId, h, withCode } from "./dom.js";

/** Question, then the answer for a session, then for tokens. */
const COMPARISON = [
  [
    "Where it is stored",
    "On the server. The browser has a number in an HttpOnly cookie.",
    "In the client: access token, refresh token and ID token, in the storage of your choice.",
  ],
  [
    "Sent with each call",
    "The cookie, by the browser itself, and a CSRF header.",
    "An Authorization header, by auth.fetch, to the origins that you allow.",
  ],
  [
    "Scale",
    "Every call looks the session up: a shared store, or sticky routing.",
    "Any server can check the signature alone. Nothing is looked up.",
  ],
  [
    "Across domains",
    "One site. Other sites do not get the cookie.",
    "Any API, on any domain, that trusts the issuer. Mobile apps and partners, too.",
  ],
  [
    "Revocation",
    "At once: the server forgets the session.",
    "The refresh token at once; the access token lives to its end, so keep it short.",
  ],
  [
    "If script is injected",
    "It can act while the page is open. It cannot take the cookie away.",
    "It can act, and may carry tokens off if it reaches where they are kept.",
  ],
  [
    "Forged requests",
    "Possible by nature; the CSRF protection and SameSite stop them.",
    "Not possible: no browser adds the header by itself.",
  ],
  ["Renewed by", "Extending the session, up to an absolute end.", "A refresh token that is replaced at each use."],
  [
    "Use it when",
    "Pages and API belong to one site: most web applications.",
    "One sign-in serves several APIs or domains, or there is no server of your own.",
  ],
];

const MEDIA = ["memory", "sessionStorage", "localStorage", "indexedDB", "cookie"];

/** Property of the description, its question, and which answer is the uncomfortable one. */
const TRAITS = [
  ["survivesReload", "Survives a reload", null],
  ["sharedAcrossTabs", "Shared by all tabs", null],
  ["readableByScript", "Readable by any script", true],
  ["sentAutomatically", "Sent by the browser itself", true],
];

/** @returns {{show(choice: import("./config.js").Choice): void}} Marks what is chosen. */
export function createMeaningView() {
  byId("compare").replaceChildren(comparison());
  const cards = MEDIA.map((medium) => [medium, mediumCard(medium)]);
  byId("media").replaceChildren(...cards.map(([, card]) => card));
  return {
    show({ mode, storage }) {
      byId("compare").dataset.mode = mode;
      for (const heading of byId("compare").querySelectorAll("thead [data-mode]"))
        mark(heading, heading.dataset.mode === mode);
      for (const [medium, card] of cards) mark(card, mode === "token" && medium === storage);
    },
  };
}

/** The explicit roles keep it a table where the narrow layout takes the rows apart. */
function comparison() {
  const head = (mode, text) => h("th", { scope: "col", role: "columnheader", "data-mode": mode }, text, chosen());
  const row = ([question, session, token]) =>
    h(
      "tr",
      { role: "row" },
      h("th", { scope: "row", role: "rowheader" }, question),
      h("td", { role: "cell", "data-mode": "session" }, session),
      h("td", { role: "cell", "data-mode": "token" }, token),
    );
  return h(
    "table",
    { class: "compare", role: "table", "aria-labelledby": "compare-title" },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        h("th", { scope: "col", role: "columnheader" }, h("span", { class: "sr-only" }, "Question")),
        head("session", "Session"),
        head("token", "Token"),
      ),
    ),
    h("tbody", { role: "rowgroup" }, ...COMPARISON.map(row)),
  );
}

function mediumCard(medium) {
  const description = describeStorage(medium);
  const traits = TRAITS.map(([property, question, uncomfortable]) => {
    const value = description[property];
    const tone = uncomfortable === null ? "plain" : value === uncomfortable ? "risk" : "good";
    return h("div", {}, h("dt", {}, question), h("dd", { dataset: { tone } }, value ? "yes" : "no"));
  });
  return h(
    "article",
    { class: "medium", "aria-labelledby": `medium-${medium}` },
    h(
      "h3",
      { id: `medium-${medium}` },
      medium === "memory" || medium === "cookie" ? capitalised(medium) : medium,
      chosen(),
    ),
    h("dl", { class: "traits" }, ...traits),
    h("ul", {}, ...description.notes.map((note) => h("li", {}, ...withCode(note)))),
  );
}

function chosen() {
  return h("span", { class: "chosen", hidden: true }, "your choice");
}

function mark(element, on) {
  element.classList.toggle("current", on);
  element.querySelector(".chosen").hidden = !on;
}

const capitalised = (word) => word[0].toUpperCase() + word.slice(1);
