/** The claims of the ID token that authsafe has verified, and what `verify` of `authsafe/jwt` says of one that was changed. */
import { announce, byId, clockTime, duration, h, setText, withCode } from "./dom.js";
import { busyWhile } from "./view-door.js";

/**
 * @param {() => object | undefined} current The client in force.
 * @param {{url: string, jwksUri: string, issuer: string, audience: string}} shown Where a token for showing comes from, and what it
 *   is compared with.
 * @param {(title: string, detail: string) => void} log
 */
export function createTokenView(current, shown, log) {
  /** Of which client and which session the claims are that are shown, or on their way. */
  let read = {};
  let claims;
  for (const [id, change] of Object.entries(CHANGES)) {
    const button = byId(`token-${id}`);
    button.addEventListener("click", () => busyWhile(button, () => run(button.textContent.trim(), change)));
  }
  setInterval(() => {
    if (claims && !document.hidden) setText(byId("token-exp"), timeLeft(claims.exp));
  }, 1000);

  return {
    show(state, choice) {
      const panel = byId("token-panel");
      const signedIn = choice.mode === "token" && state?.status === "authenticated";
      if (!signedIn && panel.contains(document.activeElement)) byId("state-title").focus({ preventScroll: true });
      panel.hidden = !signedIn;
      if (signedIn) void showClaims(current(), choice, state.session);
      else reset();
    },
    /** Another client is in force; what was said of the last one's token says nothing of it. */
    reset,
  };

  function reset() {
    read = {};
    claims = undefined;
    byId("token-body").hidden = true;
    setText(byId("token-lead"), "");
    byId("token-claims").replaceChildren();
    clear();
  }

  async function showClaims(auth, choice, { sub, expiresAt }) {
    if (auth === read.auth && sub === read.sub && expiresAt === read.expiresAt) return;
    if (sub !== read.sub) clear();
    const asked = (read = { auth, sub, expiresAt });
    // Where they cannot be had, the client has told why, and the next state asks again.
    const found = await auth.getIdTokenClaims().catch(() => undefined);
    if (read !== asked) return;
    if (found === undefined) read = {};
    claims = found ?? undefined;
    byId("token-body").hidden = !claims;
    byId("token-lead").replaceChildren(...withCode(claims ? VERIFIED : choice.login === "oidc" ? MISSING : OTHER));
    byId("token-claims").replaceChildren(...rows(claims ?? {}));
  }

  function clear() {
    setText(byId("token-result"), "");
    delete byId("token-result").dataset.code;
    byId("token-verdict").replaceChildren();
  }

  async function run(title, change) {
    clear();
    const asked = read.auth;
    const verdict = await judge(shown, change);
    if (read.auth !== asked) return;
    const { code, words, facts } = verdict;
    const result = byId("token-result");
    setText(result, words);
    if (code !== undefined) result.dataset.code = code;
    byId("token-verdict").replaceChildren(...facts.map(([name, ...value]) => fact(name, value)));
    announce(words);
    log(`verify: ${title}`, words);
  }
}

const VERIFIED =
  "authsafe has verified it before anybody was signed in by it: the signature with the keys that the provider publishes, by RS256, PS256, ES256 or EdDSA and never by `none`; then issuer, audience, nonce and times, by OpenID Connect Core §3.1.3.7. The page gets these claims, and not the token.";
const OTHER =
  "There is none: this backend answers with access tokens alone, which are for its API to read. Choose “OpenID redirect” to get an ID token.";
const MISSING = "Its claims are not to be had just now.";

/** What each claim means, in this order; others come after them. */
const MEANINGS = {
  iss: "the provider that says so",
  sub: "who signed in, by the provider’s own name for them",
  aud: "the application that it is for",
  exp: "from then on it proves nothing",
  iat: "when it was signed",
  auth_time: "when the password was typed",
  nonce: "made by this browser for this sign-in",
  at_hash: "belongs to this access token",
  name: "how the provider calls this person",
  preferred_username: "how this person wants to be called",
  email: "an address, which may change hands; `sub` does not",
};
const TIMES = ["iat", "auth_time"];

function rows(claims) {
  const names = new Set([...Object.keys(MEANINGS), ...Object.keys(claims)]);
  return [...names]
    .filter((name) => claims[name] !== undefined)
    .map((name) =>
      h(
        "tr",
        { role: "row", "data-claim": name },
        h("th", { scope: "row", role: "rowheader" }, h("code", {}, name)),
        h("td", { role: "cell", id: name === "exp" ? "token-exp" : undefined }, inWords(name, claims[name])),
        h("td", { role: "cell" }, ...withCode(MEANINGS[name] ?? "")),
      ),
    );
}

function inWords(name, value) {
  if (name === "exp") return timeLeft(value);
  if (TIMES.includes(name)) return clockTime(new Date(value * 1000));
  return typeof value === "string" ? value : JSON.stringify(value);
}

function timeLeft(exp) {
  const left = Math.ceil(exp - Date.now() / 1000);
  const at = clockTime(new Date(exp * 1000));
  return left > 0 ? `${duration(left)} left, until ${at}` : `ended at ${at}`;
}

/** What may be done to a token: the changed one, and its place before and after, each as text, what is marked, and text. */
const CHANGES = {
  "as-signed": (token) => ({ token }),
  claim(token) {
    const [header, payload, signature] = token.split(".");
    const text = decode(payload);
    const [whole, start, last] = /("sub":"[^"]*)([^"])"/.exec(text);
    // The demo's other user, where there are two.
    const other = last === "2" ? "1" : "2";
    return {
      token: [header, encode(text.replace(whole, `${start}${other}"`)), signature].join("."),
      before: [start, last, '"'],
      after: [start, other, '"'],
    };
  },
  signature(token) {
    const [header, payload, signature] = token.split(".");
    const other = signature.startsWith("A") ? "B" : "A";
    const rest = `${signature.slice(1, 20)}…`;
    return {
      token: [header, payload, other + signature.slice(1)].join("."),
      before: ["", signature[0], rest],
      after: ["", other, rest],
    };
  },
  none(token) {
    const [header, payload] = token.split(".");
    const { alg, ...rest } = JSON.parse(decode(header));
    return {
      token: [encode(JSON.stringify({ alg: "none", ...rest })), payload, ""].join("."),
      before: ['"alg":"', alg, '", and a signature'],
      after: ['"alg":"', "none", '", and no signature'],
    };
  },
};

/** Asks for a token, changes it, and has it verified. `code` is missing where there was nothing to verify. */
async function judge({ url, ...rules }, change) {
  let changed;
  try {
    const response = await fetch(url, { credentials: "include" });
    const { token, error } = await response.json();
    if (!response.ok) return { words: `The provider gave no token to try (${error}).`, facts: [] };
    changed = change(token);
  } catch {
    return { words: "The provider cannot be reached, so there is no token to try.", facts: [] };
  }
  const { before, after } = changed;
  const places = before ? [place("Before", before), place("After", after)] : [];
  // Loaded by whoever presses a button, and by nobody else.
  const { verify } = await import("/authsafe/dist/jwt.js");
  try {
    const { header, claims } = await verify(changed.token, rules);
    const facts = [
      ["Signed by", `${header.alg}, with the key ${header.kid}`],
      ["About", `${claims.name}, ${claims.sub}`],
    ];
    return { code: "", words: "Accepted.", facts: [...places, ...facts] };
  } catch ({ code, message, hint }) {
    const facts = [
      ["Code", h("code", {}, code)],
      ["Message", ...withCode(message)],
      ["Hint", ...withCode(hint)],
    ];
    return { code, words: `Refused: ${code}.`, facts: [...places, ...facts] };
  }
}

function place(name, [start, changed, end]) {
  return [name, h("code", {}, start, h("mark", {}, changed), end)];
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
}

function decode(part) {
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

function encode(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
