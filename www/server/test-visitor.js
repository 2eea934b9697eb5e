/** What the tests of the session server share: a person in front of one of its mounts. */
import { csrfVariants } from "./session-csrf.js";
import { sessionMounts } from "./session-server.js";
import { makeBrowser } from "./test-client.js";

export const ALICE = { username: "alice", password: "wonderland" };

/** A person with one browser at one mount. */
export function visitor(server, kind, browser = makeBrowser()) {
  const mount = server.url + sessionMounts[kind];
  const { headerName } = csrfVariants[kind];
  return {
    browser,
    async proof() {
      const response = await browser.fetch(`${mount}/csrf`);
      return { [headerName]: (await response.json()).csrfToken };
    },
    async get(path = "") {
      const response = await browser.fetch(mount + path);
      return { status: response.status, body: await response.json(), headers: response.headers };
    },
    async post(path, body, headers) {
      const response = await browser.post(mount + path, body, headers ?? (await this.proof()));
      const text = await response.text();
      return { status: response.status, body: text && JSON.parse(text), headers: response.headers };
    },
    signIn() {
      return this.post("/login", ALICE);
    },
  };
}
