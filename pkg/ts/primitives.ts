/**
 * The language and the browser as they were when this module was evaluated. In `core.js`, the glue between the wasm and the page
 * is bundled over it (tools/glue.mjs), so that script which patches the page afterwards sees no token on its way to the
 * provider and back. It does not help against what was patched before, nor where the application itself is handed a token.
 *
 * Three things run script of the page without being called: a promise asks what it is resolved with for `then`, who waits for a
 * promise asks it for `constructor`, and a property that an object lacks is asked of its prototype. Hence secrets travel in
 * objects without a prototype, nothing that carries one is waited for by `await`, and no list of them is spread or iterated.
 */
type Any = ReturnType<typeof globalThis.JSON.parse>;
type Method = (...given: Any[]) => Any;

const { apply, defineProperty, get, getPrototypeOf, ownKeys, set, setPrototypeOf } = globalThis.Reflect;
const { getOwnPropertyDescriptor } = globalThis.Object;
const { Uint8Array: Bytes, DataView: View, Promise: RealPromise, WritableStream: Sink } = globalThis;
const page: Any = globalThis;
const plainPrototype = globalThis.Object.prototype;
const realFetch = page.fetch as Method;

/** An object that inherits nothing. */
export function bare<T extends object>(members: T): T {
  setPrototypeOf(members, null);
  return members;
}

/** A method of a prototype, called with its `this` in front. */
function method(owner: object | undefined, name: PropertyKey): Method {
  const found = owner && (get(owner, name) as Method);
  return (self: unknown, ...given: unknown[]) => apply(found!, self, given);
}

/** A getter of a prototype, likewise. */
function getter(owner: object | undefined, name: PropertyKey): Method {
  const found = owner && getOwnPropertyDescriptor(owner, name)?.get;
  return (self: unknown) => apply(found!, self, []);
}

const typedArray = getPrototypeOf(Bytes.prototype) as object;
const tagOf = /* @__PURE__ */ getter(typedArray, Symbol.toStringTag);
const bytesLength = /* @__PURE__ */ getter(typedArray, "length");
const bufferOf = /* @__PURE__ */ getter(page.WebAssembly?.Memory?.prototype, "buffer");
const decodeWith = /* @__PURE__ */ method(TextDecoder.prototype, "decode");
const encodeWith = /* @__PURE__ */ method(TextEncoder.prototype, "encode");
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const chain = /* @__PURE__ */ method(RealPromise.prototype, "then");
const statusOf = /* @__PURE__ */ getter(page.Response?.prototype, "status");
const headersOf = /* @__PURE__ */ getter(page.Response?.prototype, "headers");
const bodyOf = /* @__PURE__ */ getter(page.Response?.prototype, "body");
const cloneOf = /* @__PURE__ */ method(page.Response?.prototype, "clone");
const eachHeader = /* @__PURE__ */ method(page.Headers?.prototype, "forEach");
const pipe = /* @__PURE__ */ method(page.ReadableStream?.prototype, "pipeTo");
const writeInt32 = /* @__PURE__ */ method(View.prototype, "setInt32");
const writeFloat64 = /* @__PURE__ */ method(View.prototype, "setFloat64");
const readUint32 = /* @__PURE__ */ method(View.prototype, "getUint32");
const generator = page.crypto;
const subtle = /* @__PURE__ */ get(generator ?? {}, "subtle") as object | undefined;
export const Instance = /* @__PURE__ */ get(page.WebAssembly ?? {}, "Instance") as Any;
export const urlOf = /* @__PURE__ */ getter(page.Request?.prototype, "url");
export const methodOf = /* @__PURE__ */ getter(page.Request?.prototype, "method");
export const modeOf = /* @__PURE__ */ getter(page.Request?.prototype, "mode");
export const referrerOf = /* @__PURE__ */ getter(page.Request?.prototype, "referrer");
export const policyOf = /* @__PURE__ */ getter(page.Request?.prototype, "referrerPolicy");
export const copyOf = /* @__PURE__ */ method(page.Request?.prototype, "clone");
export const hasHeader = /* @__PURE__ */ method(page.Headers?.prototype, "has");
export const headersOfRequest = /* @__PURE__ */ getter(page.Request?.prototype, "headers");
export const setHeader = /* @__PURE__ */ method(page.Headers?.prototype, "set");
const read = /* @__PURE__ */ method(WeakMap.prototype, "get");
const write = /* @__PURE__ */ method(WeakMap.prototype, "set");
const fill = /* @__PURE__ */ method(generator, "getRandomValues");
const fillWith = /* @__PURE__ */ method(typedArray, "fill");
const bufferLength = /* @__PURE__ */ getter(globalThis.ArrayBuffer.prototype, "byteLength");

// What the browser itself resolves a promise with is asked for it before anybody could prevent that; what is its own is not asked
// of Object.prototype. An ArrayBuffer is what was decrypted.
for (const owner of [page.Response, page.ArrayBuffer, page.CryptoKey]) {
  if (owner) defineProperty(owner.prototype, "then", bare({ value: undefined }));
}

export const setBytes = /* @__PURE__ */ method(typedArray, "set");
export const tableGet = /* @__PURE__ */ method(page.WebAssembly?.Table?.prototype, "get");
export const tableSet = /* @__PURE__ */ method(page.WebAssembly?.Table?.prototype, "set");
const resolveWith = /* @__PURE__ */ method(RealPromise, "resolve");
const rejectWith = /* @__PURE__ */ method(RealPromise, "reject");
export const resolved = (value: unknown): Any => resolveWith(RealPromise, value);
export const rejected = (reason: unknown): Any => rejectWith(RealPromise, reason);

/** A map that only who made it can look into. */
export function keeper<K extends object, V>(): { get(key: K): V | undefined; set(key: K, value: V): void } {
  const map = new WeakMap<K, V>();
  return { get: (key) => read(map, key), set: (key, value) => write(map, key, value) };
}

const NO_CONSTRUCTOR = bare({ value: undefined });

/** `promise.then(done, failed)`, where `promise` is one of this realm's own. ECMA-262 §27.2.5.4, §7.3.22. */
export function then(promise: unknown, done?: unknown, failed?: unknown): Any {
  // Without one, the result is an ordinary promise and nobody is asked.
  defineProperty(promise as object, "constructor", NO_CONSTRUCTOR);
  return chain(promise, done, failed);
}

/** `target[key] = value` on an object or a list of our own, past the setters of its prototype. */
export function put(target: object, key: PropertyKey, value: unknown): boolean {
  return defineProperty(target, key, bare({ value, writable: true, enumerable: true, configurable: true }));
}

export function push(list: unknown[], value: unknown): number {
  put(list, list.length, value);
  return list.length;
}

export function isBytes(value: unknown): boolean {
  return tagOf(value) === "Uint8Array";
}

export function isBuffer(value: unknown): boolean {
  try {
    return bufferLength(value) >= 0;
  } catch {
    return false;
  }
}

export const fillBytes = (bytes: Uint8Array, value: number, from: number, to: number): Any =>
  fillWith(bytes, value, from, to);

export function lengthOf(list: Any): number {
  return tagOf(list) === undefined ? list.length : bytesLength(list);
}

/** These bytes of the memory itself. */
export function bytesAt(memory: unknown, at: number, length: number): Uint8Array {
  return new Bytes(bufferOf(memory), at, length);
}

export function textAt(memory: unknown, at: number, length: number): string {
  return decodeWith(decoder, bytesAt(memory, at, length));
}

export function encoded(text: string): Uint8Array {
  return encodeWith(encoder, text);
}

const view = (memory: unknown) => new View(bufferOf(memory));
export const setInt32 = (memory: unknown, at: number, value: number) => writeInt32(view(memory), at, value, true);
export const setFloat64 = (memory: unknown, at: number, value: number) => writeFloat64(view(memory), at, value, true);
export const getUint32 = (memory: unknown, at: number): number => readUint32(view(memory), at, true);
export const random = (bytes: Uint8Array): Any => fill(generator, bytes);

const reflect = bare({
  apply,
  get(target: object, key: PropertyKey): unknown {
    if (target !== page) return get(target, key);
    return key === "fetch" ? unseenFetch : key === "crypto" ? unseenCrypto : get(target, key);
  },
  set: (target: object, key: PropertyKey, value: unknown): boolean =>
    getPrototypeOf(target) === plainPrototype ? put(target, key, value) : set(target, key, value),
});

/**
 * `fetch` for the core: resolves with an object that has of a response what the core reads. `init` is an object of the core's
 * own making.
 */
function unseenFetch(url: string, init: Any): object {
  const headers: Any = bare({});
  for (let at = 0; at < init.headers.length; at++) headers[init.headers[at][0]] = init.headers[at][1];
  const plain: Any = bare({});
  const names = ownKeys(init);
  for (let at = 0; at < names.length; at++) plain[names[at]!] = init[names[at]!];
  plain.headers = headers;
  const sent = apply(realFetch, undefined, [url, plain]);
  return thenable((resolve, reject) => then(sent, (response: unknown) => resolve(seen(response)), reject));
}

/** A method of Web Cryptography; what it is given and what it resolves with passes nobody. */
function unseen(name: string): Method {
  const real = method(subtle, name);
  // What the core made is asked for what it lacks; the name of a format, a key and bytes are not.
  const own = (given: unknown) =>
    typeof given === "object" && getPrototypeOf(given as object) === plainPrototype ? bare(given as object) : given;
  return (first, second, third, fourth, fifth) => {
    const done = real(subtle, own(first), own(second), own(third), fourth, fifth);
    return thenable((resolve, reject) => then(done, resolve, reject));
  };
}

export const verifySignature = /* @__PURE__ */ unseen("verify");

/** `crypto` for the core, which calls no other methods of it by name. For randomness there is `random`. */
const unseenCrypto = /* @__PURE__ */ bare({
  subtle:
    subtle &&
    bare({
      decrypt: unseen("decrypt"),
      encrypt: unseen("encrypt"),
      exportKey: unseen("exportKey"),
      generateKey: unseen("generateKey"),
      importKey: unseen("importKey"),
      sign: unseen("sign"),
    }),
});

function thenable(wait: (resolve: Method, reject: Method) => void): object {
  return bare({ then: wait });
}

function seen(response: unknown): object {
  const headers: unknown[] = [];
  eachHeader(headersOf(response), (value: string, name: string) => push(headers, [name, value]));
  return bare({
    status: statusOf(response),
    headers,
    body: bodyOf(response) && bare({ getReader: () => reader(bodyOf(response)) }),
    clone: () => cloneOf(response),
  });
}

/** Reads a body without a promise that is resolved with a part of it. */
function reader(body: unknown): object {
  const ready: object[] = [];
  let taken = 0;
  let end: [settle: "resolve" | "reject", how: unknown] | undefined;
  let waiting: { resolve: Method; reject: Method } | undefined;
  const settle = () => {
    const one = waiting;
    if (!one || (taken === ready.length && !end)) return;
    waiting = undefined;
    if (taken < ready.length) one.resolve(ready[taken++]);
    else one[end![0]](end![1]);
  };
  const finish = (how: "resolve" | "reject", value: unknown) => {
    end = [how, value];
    settle();
  };
  const write = (value: unknown) => {
    push(ready, bare({ done: false, value }));
    settle();
  };
  const piped = pipe(body, new Sink(bare({ write })));
  then(
    piped,
    () => finish("resolve", bare({ done: true })),
    (reason: unknown) => finish("reject", reason),
  );
  const read = () =>
    thenable((resolve, reject) => {
      waiting = { resolve, reject };
      settle();
    });
  return bare({ read });
}

const json = bare({ parse: globalThis.JSON.parse, stringify: globalThis.JSON.stringify });
export const request = (given: unknown): Any => apply(realFetch, undefined, [given]);
export const { Array, Error, Object, Request, Uint8Array } = globalThis;
export { json as JSON, RealPromise as Promise, reflect as Reflect };
