// The packed tarball where no browser is: on a server, and under the type checker.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { app, installed } from "./install.mjs";

const tsc = fileURLToPath(new URL("../../../node_modules/.bin/tsc", import.meta.url));

test("a server can import it and make clients, and gets a clear refusal when it uses one", () => {
  const script = `
    import { AuthError, createAuthClient, describeStorage, setWasmSource } from "authsafe";
    const auth = createAuthClient({ mode: "token", firstParty: { baseUrl: "/", endpoints: { login: "/login" } } });
    createAuthClient({ mode: "session", endpoints: { session: "/session" } });
    const error = await auth.init().catch((error) => error);
    console.log(auth.getState().status, AuthError.is(error, "insecure_context"), describeStorage("memory").notes.length > 0);
  `;
  const args = ["--input-type=module", "--eval", script];
  assert.equal(execFileSync("node", args, { cwd: app, encoding: "utf8" }), "unauthenticated true true\n");
});

const SOURCE = `
import { AuthError, createAuthClient, describeStorage, setWasmSource } from "authsafe";
import type { AuthErrorCode, AuthState, Claims, SessionAuthClient, StorageAdapter, TokenAuthClient } from "authsafe";

interface User extends Claims { name: string }
const mapUser = (raw: Record<string, unknown>): User => ({ sub: String(raw.sub), name: String(raw.name) });
const session = createAuthClient({ mode: "session", endpoints: { session: "/session" }, mapUser });
const token = createAuthClient({ mode: "token", oidc: { issuer: "https://id.example", clientId: "app" } });
const both: [SessionAuthClient<User>, TokenAuthClient] = [session, token];

const state: AuthState<User> = session.getState();
if (state.status === "authenticated") state.user.name.trim();
// @ts-expect-error: only somebody who is signed in has a name
state.user;
// @ts-expect-error: a state is never changed in place
state.status = "initializing";
// @ts-expect-error: tokens are of the other mode
session.getAccessToken();
// @ts-expect-error: and the session too
token.checkSession();
// @ts-expect-error: a parameter that authsafe sets itself
token.login({ authorizationParams: { state: "mine" } });
// @ts-expect-error: misspelt
createAuthClient({ mode: "token", oidc: { issuer: "https://id.example", client_id: "app" } });

session.on("userChanged", ({ previous, current }) => previous.name === current.name, { once: true })();
session.login({ via: "password", username: "ada", password: "x" }).then(({ user }) => user.name);
session.fetch(new Request("/api")).then((response) => response.json());

const adapter: StorageAdapter = { get: async () => null, set() {}, remove() {} };
describeStorage({ kind: "custom", adapter }).notes.join();
setWasmSource(new URL("/authsafe.wasm", "https://cdn.example"));

const known: AuthErrorCode = "login_required";
export function judge(error: unknown): AuthErrorCode {
  if (AuthError.is(error, known)) return error.recovery === "login" ? error.code : known;
  throw error;
}
export { both };
`;

for (const moduleResolution of ["bundler", "nodenext"]) {
  test(`its types serve an application that resolves modules like ${moduleResolution}`, () => {
    const folder = join(app, moduleResolution);
    mkdirSync(folder);
    writeFileSync(join(folder, "app.ts"), SOURCE);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // The declarations of the package itself are checked too: a file that was not packed shows here.
      skipLibCheck: false,
      target: "es2022",
      lib: ["es2022", "dom"],
      module: moduleResolution === "bundler" ? "esnext" : "nodenext",
      moduleResolution,
      types: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["app.ts"] }));
    const { status, stdout } = spawnSync(tsc, ["-p", folder], { cwd: app, encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
}

test("everything that an editor can show of it has a sentence of documentation", () => {
  const dist = join(installed, "dist");
  const files = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith(".d.ts"));
  const bare = [];
  let found = 0;
  for (const file of files) {
    let before = "";
    for (const line of readFileSync(join(dist, file), "utf8").split("\n")) {
      // What is exported, and the members; an overload shares the comment of the first.
      const item =
        /^export (?:declare )?(?:interface|type|function|class|const) (\w+)|^ +(?:readonly |static |get )*(\w+)\??[(:<]/;
      const name = item.exec(line)?.slice(1).find(Boolean);
      if (name && name !== "constructor") {
        found++;
        if (!before.endsWith("*/") && !new RegExp(`function ${name}\\b`).test(before))
          bare.push(`${file}: ${line.trim()}`);
      }
      if (line.trim()) before = line.trim();
    }
  }
  assert.ok(found > 150, `${found} found`);
  assert.deepEqual(bare, []);
});
