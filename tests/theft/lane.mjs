// One lane of the harness: servers of its own, a sink, and visits one after the other. Lanes run beside each other.
import { fileURLToPath } from "node:url";
import { startAll } from "../../www/server/testing.js";
import { optionsOf, resourceOf } from "./configurations.mjs";
import { findAll, findVerifiers } from "./decode.mjs";
import { startFacade } from "./facade.mjs";
import { Recorder } from "./recorder.mjs";
import { replay } from "./replay.mjs";
import { attackScript } from "./script.mjs";
import { startEcho, startSink } from "./sink.mjs";

const inRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ALICE = { username: "alice", password: "wonderland" };
/** Only a visit that hangs takes as long. */
const LIMIT_MS = 120_000;
const TRAPPED_MS = 30_000;
/** Traps that may keep a client from signing anybody in. Of every other, a visit that hangs has shown nothing. */
const BLOCKING = ["T12 constant randomness", "T15 Worker constructor, replaced", "T43 polluted prototype"];
const CSP = (issuer) =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `frame-src 'self' ${issuer}`,
    "img-src data:",
    // What is stolen may leave: a page can always be navigated.
    "connect-src *",
  ].join("; ");

export class Lane {
  static async start(browser) {
    const lane = new Lane();
    lane.browser = browser;
    lane.sink = await startSink();
    lane.echo = await startEcho();
    lane.facade = await startFacade(() => lane.stack.issuer);
    const unbound = (dir) => ({ dir, csp: false });
    lane.stack = await startAll({
      redirectPaths: ["/theft/", "/theft/guarded/", "/theft/blank.html"],
      accessTokenSeconds: 600,
      extraStatic: {
        "/theft/authsafe/dist": unbound(inRoot("pkg/dist")),
        "/theft/authsafe/wasm": unbound(inRoot("pkg/wasm")),
        "/theft/peers": unbound(inRoot("target/theft/peers")),
        "/theft/guarded": { dir: inRoot("tests/theft/pages"), csp: CSP("http://localhost:*") },
        "/theft": unbound(inRoot("tests/theft/pages")),
      },
    });
    const config = await (await fetch(`${lane.stack.pageUrl}/config.json`)).json();
    lane.config = { ...config, echo: lane.echo.url, facade: lane.facade.url };
    lane.recorder = new Recorder([config.issuer, config.pageUrl, lane.facade.url]);
    lane.cookies = await lane.#signInAtProvider();
    return lane;
  }

  async close() {
    await this.stack.close();
    await this.sink.close();
    await this.echo.close();
    await this.facade.close();
  }

  /** The provider knows the person already, so a sign-in is two redirects. */
  async #signInAtProvider() {
    const { issuer, clientId, pageUrl } = this.config;
    const context = await this.browser.newContext();
    const page = await context.newPage();
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: "code",
      scope: "openid",
      redirect_uri: `${pageUrl}/theft/blank.html`,
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
    });
    await page.goto(`${issuer}/auth?${query}`);
    await page.getByLabel("User name").fill(ALICE.username);
    await page.getByLabel("Password").fill(ALICE.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/theft\/blank\.html/);
    const cookies = await context.cookies();
    await context.close();
    return cookies;
  }

  /**
   * One visit of the victim, with the attacks of `plan` in it (see `attacks.mjs`).
   * @returns {Promise<Record<string, {stolen: string[], usable: string[]}>>} By attack; and `problem`, if it went wrong.
   */
  async visit(one, plan) {
    this.recorder.forget();
    this.sink.received.length = 0;
    const context = await this.browser.newContext();
    let problem;
    try {
      if (one.kind === "oidc") await context.addCookies(this.cookies);
      const page = await context.newPage();
      page.setDefaultTimeout(plan.traps.length ? TRAPPED_MS : LIMIT_MS);
      await this.#play(page, one, plan);
    } catch (error) {
      if (error.name !== "TimeoutError" || !this.#mayBlock(plan))
        problem = String(error.message).split("\n").slice(0, 3).join(" ");
    }
    if (one.endsAtProvider && plan.timing === "after-logout") this.cookies = await this.#signInAtProvider();
    // A page that is closed sends what it has left.
    await context.close();
    return { ...(await this.#judge(one, plan)), problem };
  }

  /** A client that a trap keeps from signing anybody in has nothing to lose: no server has given it anything. */
  #mayBlock({ traps }) {
    const given = this.recorder.secrets.some(({ kind }) => /token|cookie/.test(kind));
    return traps.length > 0 && traps.every((name) => BLOCKING.includes(name)) && !given;
  }

  async #play(page, one, plan) {
    const { timing, hooks, traps, runs } = plan;
    const { config } = this;
    const address = `${config.pageUrl}/theft/${one.csp ? "guarded/" : ""}`;
    const options = optionsOf(one, config);
    if (one.csp) options.oidc.redirectUri = options.oidc.postLogoutRedirectUri = address;
    await page.addInitScript((victim) => (window.victim = victim), { sdk: one.sdk, options, config });
    const script = attackScript(this.#given(one), { hooks, traps });
    const afterLoad = `window.afterLoad = () => { ${script} };`;
    if (timing === "pre") await page.addInitScript(script);
    if (timing === "post") await page.addInitScript(afterLoad);

    const intercepted = traps.some((name) => name.startsWith("T25"));
    await page.goto(address);
    if (intercepted) return this.#leave(page);
    await page.waitForFunction(() => window.ready);
    await this.#signIn(page, one);
    // A trap of a visit to come is set in the one before.
    if (timing === "late" || (timing === "reload" && traps.length)) await this.#attack(page, script);
    if (timing === "reload") {
      if (!traps.length) await page.addInitScript(afterLoad);
      await page.reload();
      await page.waitForFunction(() => window.ready);
    }
    await this.#call(page, one);
    if (timing === "late") {
      await page.evaluate(() => window.app.refresh().then(() => {}));
      await this.#call(page, one);
    }
    if (timing === "after-logout") {
      // Some leave the page for it, and come back.
      await page.evaluate(() => window.app.logout().then(() => {})).catch(() => {});
      await page.waitForFunction(() => window.ready && !window.app.signedIn());
      await page.evaluate(script);
      await this.#call(page, one);
    }
    if (traps.length) await this.#caught(page);
    await page.evaluate(() => window[Symbol.for("theft")]?.scan());
    await page.evaluate((runs) => window[Symbol.for("theft")]?.run(runs), runs);
  }

  /** Until what the script begins is there. */
  async #attack(page, script) {
    await page.evaluate(script);
    await page.evaluate(() => window[Symbol.for("theft")].idle());
  }

  #given(one) {
    const { config } = this;
    const { issuer, clientId, scope, pageUrl } = config;
    return {
      sink: this.sink.url,
      page: pageUrl,
      api: config.apiUrl,
      echo: this.echo.url,
      resource: resourceOf(one, config),
      ...(one.sdk === "authsafe" && { dist: "/theft/authsafe/dist", wasm: "/theft/authsafe/wasm" }),
      ...(one.sdk === "leaky" && { dist: "/theft/leaky", wasm: "/theft/authsafe/wasm" }),
      ...(one.kind === "oidc" && { oidc: { issuer, clientId, scope, redirectUri: `${pageUrl}/theft/blank.html` } }),
    };
  }

  async #signIn(page, one) {
    if (one.kind !== "oidc") {
      await page.evaluate((alice) => window.app.signIn({ via: "password", ...alice }).then(() => {}), ALICE);
      return;
    }
    // The provider knows the person, and some clients ask it by themselves.
    if (await page.evaluate(() => window.app.signedIn())) return;
    await page.evaluate(() => {
      window.ready = false;
      window.app.signIn().catch((error) => console.error(error));
    });
    await page.waitForFunction(() => window.ready && window.app.signedIn());
  }

  /** A trap may wait for the sign-in, and says when it has caught all; one that catches nothing is given this long. */
  async #caught(page) {
    const done = () => this.sink.received.some(({ loot }) => loot.startsWith("done: "));
    for (let tries = 0; !done() && tries < 30; tries++) await page.waitForTimeout(50);
  }

  /** Begins a sign-in that ends at the callback page, where the attacker waits. */
  async #leave(page) {
    const back = () => new URL(page.url()).searchParams.has("code");
    for (let tries = 0; !back() && tries < 100; tries++) {
      const ready = await page.evaluate(() => window.ready).catch(() => false);
      if (ready) await page.evaluate(() => ((window.ready = false), void window.app.signIn())).catch(() => {});
      await page.waitForTimeout(50);
    }
    if (!back()) throw new Error("no code came back");
    await page.waitForTimeout(300);
  }

  /** The application does its work; after a sign-out, it is refused. */
  #call(page, one) {
    return page.evaluate(
      async (resource) => {
        const response = await window.app.fetch(resource).catch(() => undefined);
        await response?.text();
      },
      resourceOf(one, this.config),
    );
  }

  async #judge(one, { hooks, traps, runs }) {
    const { secrets } = this.recorder;
    const byValue = new Map(secrets.map((secret) => [secret.value, secret]));
    const needles = [...byValue.keys()];
    const { challenges } = this.recorder;
    const verifiers = new Set(["attackers-own-verifier-0123456789-0123456789-abcd"]);
    const proofs = new Map();
    // Most of what one hook hears, another one hears as well.
    const known = new Map();
    const secretsIn = (loot) => {
      if (!known.has(loot)) known.set(loot, findAll(loot, needles));
      return known.get(loot);
    };
    const results = {};
    for (const attack of [...hooks, ...traps, ...runs]) results[attack] = { values: new Set(), kinds: new Set() };
    for (const { attack, loot } of this.sink.received) {
      const result = results[attack];
      if (!result) continue;
      for (const value of secretsIn(loot)) result.values.add(value);
      // A verifier that was never sent to the server is known by its challenge.
      if (!hooks.includes(attack)) {
        for (const one of findVerifiers(loot, challenges)) {
          verifiers.add(one);
          result.kinds.add("code verifier");
        }
      }
      if (/^T(25|53)/.test(attack) && loot.startsWith('{"token"')) {
        const { token, proof } = JSON.parse(loot);
        proofs.set(token, proof);
      }
      // When a hook happens to see one varies; what can be done with one is shown by those that look for it.
      if (attack.startsWith("A23") && loot.includes("Hello, ")) result.kinds.add("in-page use");
      if (loot.startsWith("KEY-HANDLE") && !hooks.includes(attack)) result.kinds.add("key handle");
    }
    for (const { kind, value } of secrets) {
      if (kind === "code verifier" && new Set(value).size <= 6) results["T12 constant randomness"]?.values.add(value);
    }
    const stolen = new Set(Object.values(results).flatMap(({ values }) => [...values]));
    const secretsStolen = [...stolen].map((value) => byValue.get(value));
    for (const { kind, value } of secretsStolen) if (kind === "code verifier") verifiers.add(value);
    const redirectUris = ["/theft/", "/theft/blank.html", "/theft/guarded/"].map((path) => this.config.pageUrl + path);
    const means = { verifiers: [...verifiers], redirectUris };
    // First with a proof: a code is good for one attempt, and whoever shows a spent token ends the others.
    const proven = secretsStolen.filter(({ value }) => proofs.has(value));
    const usableWithProof = await replay(this.config, proven, { ...means, proofs });
    const usable = await replay(this.config, secretsStolen, means);
    const works = (attack, value) =>
      /^T53/.test(attack)
        ? usableWithProof.has(value)
        : usable.has(value) || (/^T25/.test(attack) && usableWithProof.has(value));
    const kindsOf = (values) => values.map((value) => byValue.get(value).kind);
    return Object.fromEntries(
      Object.entries(results).map(([attack, { values, kinds }]) => [
        attack,
        {
          stolen: sorted([...kinds, ...kindsOf([...values])]),
          usable: sorted(kindsOf([...values].filter((value) => works(attack, value)))),
        },
      ]),
    );
  }
}

const sorted = (kinds) => [...new Set(kinds)].sort();
