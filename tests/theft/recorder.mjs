// Learns every secret from the servers that mint it: what they send and are sent is read on its way, in their own process.
// So the harness need not believe any client about what there was to steal.
import { subscribe } from "node:diagnostics_channel";

/** Who wants to hear of the exchanges of which port. */
const watched = new Map();

subscribe("http.server.request.start", ({ request, response, server }) => {
  const hear = watched.get(server.address()?.port);
  if (hear) read(request, response, hear);
});

/** Secrets by value: `{ kind, value, at }`. `at` counts up, so the newest of a kind is the one that is still good. */
export class Recorder {
  #minted = new Map();
  #count = 0;
  /** RFC 7636 §4.2: of what verifiers the codes are that were asked for. */
  challenges = new Set();

  constructor(urls) {
    for (const url of urls) watched.set(Number(new URL(url).port), (exchange) => this.#learn(exchange));
  }

  /** What was minted since the last `forget`, the oldest first. */
  get secrets() {
    return [...this.#minted.values()];
  }

  forget() {
    this.#minted.clear();
    this.challenges.clear();
  }

  /** A secret that no server mints, such as a password. */
  add(kind, value, more) {
    if (typeof value !== "string" || value.length < SHORTEST) return;
    this.#minted.set(value, { kind, value, at: ++this.#count, ...more });
  }

  #learn({ url, headers, status, sent, sentHeaders, received }) {
    const challenge = new URL(url, "http://relative").searchParams.get("code_challenge");
    if (challenge) this.challenges.add(challenge);
    const { location } = sentHeaders;
    if (location) this.add("code", new URL(location, "http://relative").searchParams.get("code"));
    const answer = json(sent);
    this.add("access token", answer?.access_token);
    this.add("refresh token", answer?.refresh_token);
    this.add("ID token", answer?.id_token);
    const asked = /json/.test(headers["content-type"] ?? "")
      ? new Map(Object.entries(json(received) ?? {}))
      : new URLSearchParams(received);
    this.add("code verifier", asked.get("code_verifier"));
    for (const name of ["code", "refresh_token"]) {
      const used = this.#minted.get(asked.get(name));
      // A server may let the same refresh token be used again.
      if (used && status === 200 && answer?.[name] !== used.value) used.spent = true;
    }
    for (const cookie of [sentHeaders["set-cookie"] ?? []].flat()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/httponly/i.test(cookie))
        this.add(/refresh/.test(name) ? "refresh token" : "session cookie", value, { cookie: name });
    }
  }
}

function read(request, response, hear) {
  const received = [];
  const sent = [];
  const { push } = request;
  request.push = (chunk, ...rest) => {
    if (chunk) received.push(Buffer.from(chunk));
    return Reflect.apply(push, request, [chunk, ...rest]);
  };
  for (const name of ["write", "end"]) {
    const real = response[name];
    response[name] = (chunk, ...rest) => {
      if (chunk && typeof chunk !== "function") sent.push(Buffer.from(chunk));
      // Before it leaves: the browser may be quicker with it than the event that says it was sent.
      if (name === "end") tell();
      return Reflect.apply(real, response, [chunk, ...rest]);
    };
  }
  function tell() {
    hear({
      url: request.url,
      status: response.statusCode,
      headers: request.headers,
      received: Buffer.concat(received).toString(),
      sent: Buffer.concat(sent).toString(),
      sentHeaders: response.getHeaders(),
    });
  }
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Nothing shorter is a secret; it would be found by chance. */
const SHORTEST = 8;
