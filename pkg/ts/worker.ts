/**
 * The entry of `dist/worker.js`: the vault. The core runs here, out of reach of the page's script, and makes the requests that
 * carry a credential. Of what the page sends, only what `wire.ts` names is heard.
 */
import { start } from "./core.js";
import { AuthError, type AuthErrorFields } from "./error.js";
import { headOf, SMALL_BODY } from "./passing.js";
import type { Core, Host, LoadFault, RemotePage } from "./skin.js";
import { BUILD, fault, request } from "./source.js";
import type { StorageAdapter } from "./types.js";
import type { Area, CallName, RequestPlain, Service, ToPage, ToWorker } from "./wire.js";

let core: Core | undefined;
/** A renewal is under way. */
let renewing = false;
let opening = false;
let href = "";
let lastAsk = 0;
const asked = new Map<number, { resolve(value: string | null): void; reject(fault: unknown): void }>();
const requests = new Map<number, AbortController>();
const bodies = new Map<number, ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>>();

function post(message: ToPage, transfer: Transferable[] = []): void {
  globalThis.postMessage(message, { transfer });
}

/** What the page has to do; it answers with text or with nothing. */
function ask(...service: Service): Promise<string | null> {
  const id = ++lastAsk;
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject });
    post({ kind: "ask", id, service });
  });
}

const area = (place: Area): StorageAdapter => ({
  get: (key) => ask(place, "get", key),
  set: (key, text) => ask(place, "set", key, text).then(() => {}),
  remove: (key) => ask(place, "remove", key).then(() => {}),
});

const page: RemotePage = {
  framed: false,
  href: () => href,
  replaceUrl(url) {
    href = url;
    ask("page", "replaceUrl", url).catch(() => {});
  },
  navigate(url) {
    ask("page", "navigate", url).catch(() => {});
  },
  sessionStorage: area("sessionStorage"),
  localStorage: area("localStorage"),
  cookies: {
    get: async () => (await ask("cookies", "get")) ?? "",
    set: (cookie) => ask("cookies", "set", cookie).then(() => {}),
  },
};

/** Every call that the page may make. */
const calls: Record<CallName, (core: Core, argument: unknown) => unknown> = {
  init: async (core) => ({ ...(await core.init()), state: core.snapshot() }),
  login: (core, options) => core.login(Object(options) as object),
  logout: (core, options) => core.logout(Object(options) as object),
  refresh: (core) => core.refresh(),
  revoke: (core) => core.revoke(),
  accessToken: (core, seconds) => core.accessToken(Number(seconds)),
  idTokenClaims: (core) => core.idTokenClaims(),
  diagnose: (core) => core.diagnose(),
};

async function open({ build, wasm, jwt, options }: Extract<ToWorker, { kind: "open" }>): Promise<void> {
  try {
    if (build !== BUILD) throw fault("worker.js is of another version than the script of the page.");
    const create = await start(typeof wasm === "string" ? request(wasm) : { given: wasm }, jwt);
    const host: Host = {
      onState: (state) => {
        renewing = "freshness" in state && state.freshness === "refreshing";
        post({ kind: "state", state });
      },
      onEvent: (name, detail) => post({ kind: "event", name, detail }),
      adapter: area("adapter"),
      page,
    };
    core = create(options, host, trap, new AbortController().signal);
    post({ kind: "opened", origins: core.origins() });
  } catch (thrown) {
    const { code, detail, message, cause, ...fields } = Object(thrown) as LoadFault & AuthErrorFields;
    post({
      kind: "closed",
      fault: { ...fields, code, detail, message: message ?? String(thrown), cause: String(cause) },
    });
  }
}

/** A core that stopped half-way is not to be trusted with another call. */
function trap(error: unknown): void {
  core = undefined;
  post({ kind: "trap", fault: String(error) });
}

async function call(id: number, name: CallName, argument: unknown): Promise<void> {
  try {
    if (!core) throw fault("The core is not loaded.");
    const value = await calls[name](core, argument);
    post({ kind: "result", id, value });
  } catch (error) {
    fail(id, error);
  }
}

function fail(id: number, error: unknown): void {
  if ((error as Error | undefined)?.name === "RuntimeError") return trap(error);
  // An AuthError would lose its fields on the way; the browser's own errors do not.
  post({ kind: "failed", id, error: AuthError.is(error) ? error.toJSON() : error });
}

async function carry(id: number, { url, ...init }: RequestPlain): Promise<void> {
  const abort = new AbortController();
  requests.set(id, abort);
  try {
    const response = await core!.fetch(new Request(url, { ...init, signal: abort.signal }), init.body);
    const head = headOf(response);
    // Without a length, nobody knows how long its end will take.
    const length = response.headers.get("content-length");
    if (!response.body) {
      post({ kind: "response", id, head, body: null });
    } else if (length !== null && Number(length) <= SMALL_BODY) {
      const body = await response.arrayBuffer();
      post({ kind: "response", id, head, body }, [body]);
    } else {
      bodies.set(id, response.body.getReader());
      post({ kind: "response", id, head, body: "streamed" });
      return;
    }
    requests.delete(id);
  } catch (error) {
    requests.delete(id);
    fail(id, error);
  }
}

async function pull(id: number): Promise<void> {
  const reader = bodies.get(id);
  if (!reader) return;
  try {
    const { done, value } = await reader.read();
    if (!done) return post({ kind: "chunk", id, bytes: value }, [value.buffer]);
    post({ kind: "end", id });
  } catch (error) {
    fail(id, error);
  }
  drop(id);
}

function drop(id: number): void {
  bodies.delete(id);
  requests.delete(id);
}

function hear(message: ToWorker): void {
  switch (message.kind) {
    case "open":
      if (opening) return;
      opening = true;
      href = message.href;
      page.framed = message.framed;
      void open(message);
      return;
    case "call":
      if (Object.hasOwn(calls, message.name)) void call(message.id, message.name, message.argument);
      return;
    case "fetch":
      if (core) void carry(message.id, message.request);
      return;
    case "abort":
      requests.get(message.id)?.abort();
      return drop(message.id);
    case "pull":
      void pull(message.id);
      return;
    case "cancel":
      void bodies
        .get(message.id)
        ?.cancel()
        .catch(() => {});
      return drop(message.id);
    case "answer": {
      const one = asked.get(message.id);
      asked.delete(message.id);
      if (message.fault) one?.reject(message.fault);
      else one?.resolve(typeof message.value === "string" ? message.value : null);
      return;
    }
    case "page":
      if (message.news !== "dispose") return core?.pageChanged(message.news, message.seen);
      core?.dispose();
      if (!renewing) close();
      return;
    case "ping":
      return post({ kind: "pong" });
  }
  // What is none of these changes nothing.
  message satisfies never;
}

globalThis.addEventListener("message", ({ data }: MessageEvent) => {
  // Only what this realm's own clone made of it is looked at: no getter of the page's runs here.
  if (typeof data === "object" && data !== null) hear(data as ToWorker);
});
