// One tab with the bare page in it, and what a person or an application does there.
import { expect } from "@playwright/test";

export const ALICE = { username: "alice", password: "wonderland", name: "Alice Liddell" };
export const BOB = { username: "bob", password: "builder", name: "Bob Baumeister" };

export class Tab {
  /**
   * @param {import("@playwright/test").Page} page
   * @param {{one: object, address: string, resource: string, renewals: () => number}} about `one` is the case.
   */
  constructor(page, { one, address, resource, renewals }) {
    Object.assign(this, { page, one, address, resource, renewals });
  }

  /** Opens the page; resolves to what `init()` found. */
  async open(address = this.address) {
    await this.page.goto(address);
    return this.started();
  }

  async reload() {
    await this.page.reload();
    return this.started();
  }

  /** What `init()` found, once the page that is loading has started: `{ state, callback, error }`. */
  async started() {
    const handle = await this.page.waitForFunction(() => !window.leaving && window.started);
    const { value, error } = await handle.jsonValue();
    if (error) throw new Error(`init() failed: ${JSON.stringify(error)}`);
    return value;
  }

  /** Runs `work(argument)` in the page: `{ value }`, or `{ error }` as plain JSON. */
  attempt(work, argument) {
    const source = `(argument) => window.attempt(() => (${work})(argument))`;
    return this.page.evaluate(`(${source})(${JSON.stringify(argument) ?? "undefined"})`);
  }

  state() {
    return this.page.evaluate(() => {
      const { error, ...state } = window.auth.getState();
      return error ? { ...state, error: error.toJSON() } : state;
    });
  }

  events(name) {
    return this.page.evaluate((name) => window.record.events.filter((event) => event.name === name), name);
  }

  /** Waits until the state has these members. */
  async becomes(wanted) {
    await expect.poll(() => this.state()).toMatchObject(wanted);
  }

  /** Signs in as the case does it. `known`: the provider still knows the person and asks for nothing. */
  async signIn({ username, password } = ALICE, { known = false, ...login } = {}) {
    if (this.one.kind !== "oidc") {
      return this.attempt(`(login) => auth.login({ via: "password", ...login })`, { username, password, ...login });
    }
    await this.leave(login);
    try {
      if (!known) await this.typePassword({ username, password });
    } catch (cause) {
      // Why the provider's form did not come is known to the page that should have left.
      const left = this.page.evaluate(() => Promise.race([window.left, "still leaving"])).catch(String);
      throw new Error(`no form at ${this.page.url()}: ${JSON.stringify(await left)}`, { cause });
    }
    return this.started();
  }

  /** Begins a sign-in by redirect. */
  async leave(login = {}) {
    await this.page.evaluate((login) => {
      window.leaving = true;
      window.left = window.attempt(() => window.auth.login({ via: "redirect", ...login }));
    }, login);
  }

  /** Fills in the provider's form. */
  async typePassword({ username, password }) {
    await this.page.getByLabel("User name").fill(username);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  /** Calls the protected resource so many times at once: the statuses, and the errors' codes or names. */
  async call(count = 1, address = this.resource) {
    const { value } = await this.attempt(
      `async ({ address, count }) => {
        const calls = Array.from({ length: count }, () => attempt(async () => {
          const response = await auth.fetch(address);
          await response.text();
          return response.status;
        }));
        const outcomes = await Promise.all(calls);
        return outcomes.map(({ value, error }) => value ?? error.code ?? error.name);
      }`,
      { address, count },
    );
    return value;
  }

  refresh() {
    return this.attempt("async () => (await auth.refresh()).status");
  }

  logout(scope = "local") {
    return this.attempt("(scope) => auth.logout({ scope })", scope);
  }

  close() {
    return this.page.close();
  }
}
