/**
 * Makes the client that the test described in `window.authOptions`, starts it as an application would, and keeps what it
 * tells. `window.started` is what `init()` found, as plain JSON; it is set last. What a test names `window.beforeInit` is
 * called when all is loaded and nothing has been started.
 */
import * as authsafe from "/bare/authsafe/dist/index.js";
import { adapters } from "./adapters.js";

const EVENTS = [
  "signedIn",
  "signedOut",
  "userChanged",
  "refreshed",
  "refreshFailed",
  "expiring",
  "idleWarning",
  "storageDegraded",
  "isolationDegraded",
];

/** What has begun and not ended, by a number. */
window.pending = {};
let begun = 0;

/** Runs `work` and tells how it ended, in a form that survives the way to the test. */
window.attempt = async (work) => {
  const number = ++begun;
  window.pending[number] = String(work);
  try {
    return { value: await work() };
  } catch (error) {
    tell("error", { text: [error?.stack, String(error), JSON.stringify(error), String(error?.cause)] });
    return { error: plain(error) };
  } finally {
    delete window.pending[number];
  }
};

/** For the checker that follows every test; a page that it does not follow tells nobody. */
const load = Math.random().toString(36).slice(2);
const places = { state: 0, event: 0, error: 0 };
function tell(kind, value) {
  window.tellChecker?.(load, ++places[kind], kind, JSON.stringify(value)).catch(() => {});
}

window.authsafe = authsafe;
if (window.workerSource) authsafe.setWorkerSource(window.workerSource);
// One that goes by the clock of this page, which is right only now.
if (window.workerScript) authsafe.setWorkerSource(`/bare/${window.workerScript}?now=${Date.now()}`);
// Bytes are taken as they are.
if (window.wasmSource) authsafe.setWasmSource(await (await fetch(window.wasmSource)).arrayBuffer());
if (window.jwtSource) authsafe.setWasmSource("/bare/authsafe/wasm/authsafe_bg.wasm", window.jwtSource);
window.record = { states: [], events: [] };
if (window.authOptions) window.started = await start(withAdapter(window.authOptions));

async function start(options) {
  return window.attempt(async () => {
    window.auth = authsafe.createAuthClient(options);
    const { mode } = options;
    window.auth.subscribe((state) => {
      window.record.states.push(state);
      tell("state", { ...state, error: plain(state.error) });
    });
    for (const name of EVENTS) {
      window.auth.on(name, ({ error, ...detail }) => {
        const event = { name, ...detail, ...(error && { error: plain(error) }) };
        window.record.events.push(event);
        tell("event", { mode, ...event });
      });
    }
    if (window.beforeInit) {
      await window.auth.preload();
      await window.beforeInit();
    }
    // As React's StrictMode does, or a module that is loaded twice.
    if (window.twice) window.other = authsafe.createAuthClient(options);
    window.other?.init();
    const { state, callback, error } = await window.auth.init();
    return { state: { ...state, error: plain(state.error) }, callback, error: plain(error) };
  });
}

function plain(error) {
  if (!error) return undefined;
  if (authsafe.AuthError.is(error)) return { ...error.toJSON(), isAuthError: true };
  return { name: error.name, message: error.message, isAuthError: false };
}

/** Functions do not travel from the test to the page, so it names an adapter of ours. */
function withAdapter(options) {
  if (options.storage?.kind !== "custom") return options;
  return { ...options, storage: { ...options.storage, adapter: adapters[options.storage.adapter] } };
}
