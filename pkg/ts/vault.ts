/** The page's side of the vault: starts the worker, passes calls and requests in, and does for it what only a page can do. */
import { own } from "./error.js";
import { addressOf, LIMIT_SECONDS, jwtGiven, needSecureContext, wasmGiven, workerGiven } from "./loader.js";
import { dress, type Streams, streams, takeApart } from "./passing.js";
import type { Calls, Host, StatePlain } from "./skin.js";
import { BUILD } from "./source.js";
import type { SessionInfo } from "./types.js";
import type { CallName, Opened, Service, ToPage, ToWorker, WasmGiven } from "./wire.js";

// What the page may patch later is taken when this module is evaluated.
const {
  Worker: RealWorker,
  MessageEvent: RealEvent,
  URL,
  fetch: realFetch,
  setTimeout,
  clearTimeout,
  trustedTypes,
} = globalThis as typeof globalThis & { trustedTypes?: { createPolicy(name: string, rules: object): typeof policy } };
const { apply } = Reflect;
const postMessage = RealWorker?.prototype.postMessage;
const addListener = RealWorker?.prototype.addEventListener;
const terminate = RealWorker?.prototype.terminate;
const dataOf = RealEvent && Object.getOwnPropertyDescriptor(RealEvent.prototype, "data")?.get;

/** A worker that has to say something and says nothing is asked for a sign of life as often as this. */
const BEAT_MS = 10_000;
const MOST_SILENT_BEATS = 3;

/** The wall clock, which may be set, and one that may stand still while the machine sleeps. */
const CLOCKS = [Date, performance];

const PAGE_EVENTS = "visibilitychange focus online pagehide pageshow".split(" ");
/** What a user does. `scroll` is not among it, as script can cause one that looks the same. */
const MOVE = "pointermove";
const ACTS = ["pointerdown", MOVE, "keydown", "wheel", "touchmove", "visibilitychange"];

/** Why there is no worker. Anything else that fails while the vault opens would fail in the page too. */
export class NoWorker {
  constructor(readonly cause: string) {}
}

let policy: { createScriptURL(url: string): string } | undefined;

/** Trusted Types §2.3. Nobody else can reach the policy, so it is asked for addresses of this origin only. */
function trusted(url: string): string {
  policy ??= trustedTypes?.createPolicy("authsafe", { createScriptURL: (given: string) => given });
  return policy ? policy.createScriptURL(url) : url;
}

/** Where the first worker that opened came from. Script that comes later cannot choose another one. */
let proven: { script: string; wasm: WasmGiven } | undefined;

function scriptOfWorker(): string {
  if (proven) return proven.script;
  const url = new URL(workerGiven(), document.baseURI);
  if (url.origin !== location.origin || !/^https?:$/.test(url.protocol)) {
    throw new NoWorker("worker.js is not of this origin; see setWorkerSource().");
  }
  return trusted(url.href);
}

function startWorker(script: string): Worker {
  try {
    return new RealWorker(script, { type: "module", name: "authsafe" });
  } catch (error) {
    throw new NoWorker(`The browser refuses the worker: ${(error as Error).message}`);
  }
}

const absolute = (address: string | URL) => new URL(address, document.baseURI).href;

/** What the application gave, in a form that can be handed over. */
async function wasmForWorker(): Promise<WasmGiven> {
  if (proven) return proven.wasm;
  const given = wasmGiven();
  const address = addressOf(given);
  if (address !== undefined) return absolute(address);
  const value = await (given as PromiseLike<unknown>);
  return value instanceof Response ? value.clone().arrayBuffer() : (value as WasmGiven);
}

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
}

/**
 * Opens a vault. `onDeath` hears, after it was open, that it is gone; `signal` ends it.
 *
 * @throws {NoWorker | AuthErrorFields | LoadFault}
 */
export function openVault(
  options: object,
  host: Host,
  onDeath: (cause: unknown) => void,
  signal: AbortSignal,
): Promise<Calls> {
  needSecureContext();
  if (!RealWorker) throw new NoWorker("There are no workers here.");
  const script = scriptOfWorker();
  const worker = startWorker(script);
  const waiting = new Map<number, Waiting>();
  const bodies: Streams = streams(post);
  const ended = new AbortController();
  let origins: readonly string[] = [];
  let wasm: WasmGiven | undefined;
  let last: StatePlain = { status: "initializing" };
  /** Gives the token that was handed out before, if it lives so long. Whatever is said or heard that could change it ends this. */
  let again: ((seconds: number) => string | undefined) | undefined;
  let lastId = 0;
  let silentBeats = 0;
  let acted = -1000;
  let beat: ReturnType<typeof setTimeout> | undefined;
  let opened: { resolve(vault: Calls): void; reject(why: unknown): void } | undefined;

  function post(message: ToWorker, transfer: Transferable[] = []): void {
    again = undefined;
    beat ??= setTimeout(listenForLife, BEAT_MS);
    apply(postMessage, worker, [message, transfer]);
  }

  /** Sends a message that will be answered. */
  function ask<T>(send: (id: number) => void): Promise<T> {
    const id = ++lastId;
    return new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      send(id);
    }).finally(() => waiting.delete(id));
  }

  function call<T>(name: CallName, argument?: unknown): Promise<T> {
    return ask((id) => post({ kind: "call", id, name, argument }));
  }

  /** What the application may have anyway need not be asked for again and again. */
  function keep(token: string): string {
    const { session } = last as { session?: SessionInfo };
    // Another call may be a sign-out.
    if (session && !waiting.size) {
      // Both numbers are rounded to the second.
      const left = ((session.expiresAt ?? Infinity) - session.clockSkew - 1) * 1000 - Date.now();
      const ends = CLOCKS.map((clock) => clock.now() + left);
      again = (seconds) => (CLOCKS.every((clock, at) => clock.now() + seconds * 1000 < ends[at]!) ? token : undefined);
    }
    return token;
  }

  function listenForLife(): void {
    beat = undefined;
    if (!waiting.size && !bodies.size) return;
    if (++silentBeats > MOST_SILENT_BEATS) return die(new Error("The worker does not answer."));
    post({ kind: "ping" });
  }

  function die(cause: unknown): void {
    if (ended.signal.aborted) return;
    const wasOpen = !opened;
    end(own("core_lost", "", cause));
    if (wasOpen) onDeath(cause);
  }

  function end(reason: unknown, patience = 0): void {
    ended.abort();
    clearTimeout(beat);
    // What the page may have made of this function gets no hold of the worker.
    setTimeout(() => apply(terminate, worker, []), patience);
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
    bodies.fail(reason);
    opened?.reject(reason);
  }

  /** The worker closes by itself, but not in the middle of a renewal: the next client would send a token that is spent. */
  function dispose(): void {
    tell({ type: "dispose" });
    end(own("disposed"), 15_000);
  }

  function fail(id: number, error: unknown): void {
    settle(id, ({ reject }) => reject(error));
    bodies.broken(id, error);
  }

  function settle(id: number, how: (one: Waiting) => void): void {
    const one = waiting.get(id);
    if (one) how(one);
  }

  async function serve(id: number, service: Service): Promise<void> {
    try {
      const value: unknown = await perform(service);
      post({ kind: "answer", id, value: typeof value === "string" ? value : undefined });
    } catch (fault) {
      post({ kind: "answer", id, fault: { name: (fault as Error | undefined)?.name } });
    }
  }

  function perform([place, method, first, second = ""]: Service): unknown {
    if (place === "page")
      return method === "navigate" ? location.assign(first) : history.replaceState(history.state, "", first);
    if (place === "cookies") return method === "set" ? (document.cookie = first) : document.cookie;
    if (place === "adapter") return host.adapter?.[method](first, second);
    return globalThis[place][`${method}Item`](first, second);
  }

  function hear(message: ToPage): void {
    silentBeats = 0;
    switch (message.kind) {
      case "opened":
        origins = message.origins;
        proven ??= { script, wasm: wasm! };
        opened?.resolve(vault);
        return tell({ type: "visibilitychange" });
      case "closed":
        return end(message.fault);
      case "result":
        return settle(message.id, ({ resolve }) => resolve(message.value as never));
      case "failed":
        return fail(message.id, message.error);
      case "response": {
        const { id, head, body } = message;
        return settle(id, ({ resolve }) => resolve(dress(head, body === "streamed" ? bodies.open(id) : body) as never));
      }
      case "chunk":
        return bodies.chunk(message.id, message.bytes);
      case "end":
        return bodies.end(message.id);
      case "state":
        again = undefined;
        return host.onState((last = message.state));
      case "event":
        return host.onEvent(message.name, message.detail);
      case "ask":
        void serve(message.id, message.service);
        return;
      case "trap":
        return die(message.fault);
      case "pong":
        return;
    }
    message satisfies never;
  }

  /** Something happens to the page. One that is left for good, or was loaded anew, is no news. */
  function tell({ type, persisted }: { type: string; persisted?: boolean }): void {
    if (persisted === false) return;
    // What comes back from the back-forward cache must not be on the screen before the worker has looked again.
    if (type === "pagehide") hear({ kind: "state", state: { status: "initializing" } });
    post({ kind: "page", news: type, seen: document.visibilityState });
  }

  /** The user does something; the worker hears of it once a second at most. */
  function act({ isTrusted, type, movementX, movementY }: MouseEvent): void {
    // A browser may report a pointer that stands still, because the page below it has moved.
    const still = !movementX && !movementY && type === MOVE;
    if (!isTrusted || still || document.hidden || performance.now() - acted < 1000) return;
    acted = performance.now();
    tell({ type: "active" });
  }

  const vault: Calls = {
    login: (options) => call("login", options),
    logout: (options) => call("logout", options),
    refresh: () => call("refresh"),
    revoke: () => call("revoke"),
    idTokenClaims: () => call("idTokenClaims"),
    diagnose: () => call("diagnose"),
    async init() {
      const { state, ...found } = await call<Opened>("init");
      last = state;
      return found;
    },
    accessToken: async (seconds) => again?.(seconds) ?? keep(await call("accessToken", seconds)),
    snapshot: () => last,
    dispose,
    fetch(request, body) {
      const { signal, url } = request;
      // No credential may go anywhere else.
      if (!origins.includes(new URL(url).origin)) return fetch(request);
      if (signal.aborted) return Promise.reject(signal.reason);
      return ask((id) => {
        const abort = () => {
          fail(id, signal.reason);
          post({ kind: "abort", id });
        };
        signal.addEventListener("abort", abort, { signal: ended.signal });
        takeApart(request, body).then(
          ([plain, transfer]) => signal.aborted || post({ kind: "fetch", id, request: plain }, transfer),
          (error: unknown) => fail(id, error),
        );
      });
    },
  };

  return new Promise<Calls>((resolve, reject) => {
    const limit = setTimeout(() => end(new NoWorker("The worker is late.")), LIMIT_SECONDS * 1000);
    const settled = () => {
      clearTimeout(limit);
      opened = undefined;
    };
    opened = {
      resolve: (vault) => (settled(), resolve(vault)),
      reject: (why) => (settled(), reject(why)),
    };
    apply(addListener, worker, ["message", (event: Event) => hear(apply(dataOf!, event, []) as ToPage)]);
    apply(addListener, worker, [
      "error",
      (event: ErrorEvent) => {
        // Not an error of the page's: it is told as one of authsafe's.
        event.preventDefault();
        if (opened) end(new NoWorker(`worker.js cannot be run: ${event.message ?? "missing"}.`));
        else die(event.message);
      },
    ]);
    signal.addEventListener("abort", dispose, { signal: ended.signal });
    for (const name of PAGE_EVENTS) addEventListener(name, tell, { signal: ended.signal });
    for (const name of (options as { idle?: unknown }).idle ? ACTS : []) {
      addEventListener(name, act as (event: Event) => void, {
        signal: ended.signal,
        capture: true,
        passive: true,
      });
    }
    wasmForWorker().then(
      (given) => {
        wasm = given;
        post({
          kind: "open",
          build: BUILD,
          wasm: given,
          jwt: absolute(jwtGiven()),
          options,
          href: location.href,
          framed: top !== self,
        });
        // The worker asks for it a round trip later, and finds it in the cache of the browser, or on its way there.
        if (typeof given === "string") warm(given);
      },
      (cause: unknown) => end({ code: "wasm_load_failed", detail: "The source: it was not given.", cause }),
    );
  });
}

/** Reads and forgets. What comes of it does not matter: the worker asks for itself, and checks what it gets. */
function warm(address: string): void {
  apply(realFetch, undefined, [address])
    .then(({ body }: Response) => body?.pipeTo(new WritableStream()))
    .catch(() => {});
}
