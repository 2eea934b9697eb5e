/**
 * Script of an attacker that came into the page after authsafe: patches whatever a call to a server may pass through, looks for
 * a mark in all that it is handed, and keeps what it found in `window.stolen`, by the name of the technique.
 */
const mark = new URL(import.meta.url).searchParams.get("mark");
const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
const { then } = Promise.prototype;
const { includes } = String.prototype;
const { add, has } = Set.prototype;
const { fromCharCode } = String;
const RealBytes = Uint8Array;
const RealMemory = WebAssembly.Memory;
const RealPromise = Promise;
const bufferOf = getOwnPropertyDescriptor(RealMemory.prototype, "buffer").get;
const viewBuffer = getOwnPropertyDescriptor(getPrototypeOf(RealBytes.prototype), "buffer").get;
const viewLength = getOwnPropertyDescriptor(getPrototypeOf(RealBytes.prototype), "byteLength").get;
const dataBuffer = getOwnPropertyDescriptor(DataView.prototype, "buffer").get;
const { clone, text } = Response.prototype;

const stolen = (window.stolen = { __proto__: null });
let busy = false;

/** Whether the bytes hold the mark, which is ASCII. */
function inBytes(buffer) {
  const bytes = new RealBytes(buffer);
  outer: for (let at = 0; at <= bytes.length - mark.length; at++) {
    for (let offset = 0; offset < mark.length; offset++) {
      if (bytes[at + offset] !== apply("".charCodeAt, mark, [offset])) continue outer;
    }
    return true;
  }
  return false;
}

/** Looks at a value, and as deep into it as script can. */
function look(technique, value, depth = 0) {
  const found = () => (stolen[technique] = (stolen[technique] ?? 0) + 1);
  if (typeof value === "string") return apply(includes, value, [mark]) && found();
  if ((typeof value !== "object" && typeof value !== "function") || value === null || depth > 4) return;
  try {
    if (value instanceof RealMemory) return inBytes(apply(bufferOf, value, [])) && found();
    if (value instanceof ArrayBuffer) return inBytes(value) && found();
    if (value instanceof DataView) return inBytes(apply(dataBuffer, value, [])) && found();
    if (ArrayBuffer.isView(value)) return inBytes(apply(viewBuffer, value, [])) && found();
    if (value instanceof RealPromise) {
      const later = (settled) => guarded(() => look(technique, settled, depth + 1));
      return void apply(then, value, [later, later]);
    }
    if (value instanceof Response && !value.bodyUsed) {
      const later = (settled) => guarded(() => look(technique, settled, depth + 1));
      return void apply(then, apply(text, apply(clone, value, []), []), [later, () => {}]);
    }
    for (const key of ownKeys(value)) {
      const { value: member } = getOwnPropertyDescriptor(value, key) ?? {};
      look(technique, member, depth + 1);
    }
  } catch {
    // What cannot be looked at holds nothing for this attacker.
  }
}

/** The patches would otherwise see what this script does. */
function guarded(work) {
  if (busy) return;
  busy = true;
  try {
    work();
  } finally {
    busy = false;
  }
}

function lookAll(technique, self, given, result) {
  guarded(() => {
    look(technique, self);
    for (let at = 0; at < given.length; at++) look(technique, given[at]);
    look(technique, result);
  });
}

function patch(owner, name, technique) {
  const descriptor = getOwnPropertyDescriptor(owner, name);
  if (!descriptor?.configurable && !descriptor?.writable) return;
  const wrap = (real) =>
    function (...given) {
      lookAll(technique, this, given);
      const result = new.target ? Reflect.construct(real, given, new.target) : apply(real, this, given);
      lookAll(technique, undefined, [], result);
      return result;
    };
  const { value, get, set } = descriptor;
  const how = typeof value === "function" ? { value: wrap(value) } : { get: get && wrap(get), set: set && wrap(set) };
  if (typeof value === "function") how.value.prototype = value.prototype;
  if (typeof value === "function" || get || set) defineProperty(owner, name, { ...descriptor, ...how });
}

function patchAll(owner, technique, except = []) {
  for (const name of ownKeys(owner)) {
    if (!except.includes(name)) patch(owner, name, `${technique}.${String(name)}`);
  }
}

// What is read of an object and stands on no prototype, or is set there.
for (const name of [
  "then",
  "body",
  "headers",
  "integrity",
  "window",
  "duplex",
  "priority",
  "write",
  "start",
  "abort",
  "credentials",
  "redirect",
  "ticket",
  "method",
  "mode",
  "cache",
  "signal",
  "keepalive",
  "referrer",
  "referrerPolicy",
  "close",
  "clone",
  "status",
  "subtle",
  "crypto",
  "iv",
]) {
  defineProperty(Object.prototype, name, {
    configurable: true,
    get() {
      lookAll(`a getter ${name} on Object.prototype`, this, []);
      return undefined;
    },
    set(value) {
      lookAll(`a setter ${name} on Object.prototype`, undefined, [value]);
      defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}
for (const name of ["0", "1", "2"]) {
  defineProperty(Array.prototype, name, {
    configurable: true,
    set(value) {
      lookAll(`a setter ${name} on Array.prototype`, undefined, [value]);
      defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
    get: () => undefined,
  });
}
defineProperty(Promise.prototype, "constructor", {
  configurable: true,
  get() {
    lookAll("a getter constructor on Promise.prototype", this, []);
    return RealPromise;
  },
});
defineProperty(RealBytes, Symbol.hasInstance, {
  value(value) {
    lookAll("Uint8Array[Symbol.hasInstance]", undefined, [value]);
    return Object.prototype.isPrototypeOf.call(RealBytes.prototype, value);
  },
});
defineProperty(ArrayBuffer, Symbol.hasInstance, {
  value(value) {
    lookAll("ArrayBuffer[Symbol.hasInstance]", undefined, [value]);
    return Object.prototype.isPrototypeOf.call(ArrayBuffer.prototype, value);
  },
});
const typed = getPrototypeOf(RealBytes.prototype);
const wanted = ["set", "subarray", "slice", "buffer", "length", "byteLength", "fill", Symbol.iterator];
for (const name of wanted) patch(typed, name, `TypedArray.${String(name)}`);
patchAll(DataView.prototype, "DataView", ["constructor"]);
patchAll(RealMemory.prototype, "Memory", ["constructor"]);
patchAll(WebAssembly.Table.prototype, "Table", ["constructor"]);
patchAll(TextDecoder.prototype, "TextDecoder", ["constructor"]);
patchAll(TextEncoder.prototype, "TextEncoder", ["constructor"]);
patchAll(Response.prototype, "Response", ["constructor"]);
patchAll(Request.prototype, "Request", ["constructor"]);
patchAll(Headers.prototype, "Headers", ["constructor"]);
patchAll(ReadableStream.prototype, "ReadableStream", ["constructor"]);
patchAll(WritableStream.prototype, "WritableStream", ["constructor"]);
patchAll(ReadableStreamDefaultReader.prototype, "Reader", ["constructor"]);
patchAll(XMLHttpRequest.prototype, "XMLHttpRequest", ["constructor"]);
patchAll(JSON, "JSON");
patchAll(ArrayBuffer.prototype, "ArrayBuffer", ["constructor"]);
patchAll(Crypto.prototype, "Crypto", ["constructor"]);
patchAll(SubtleCrypto.prototype, "SubtleCrypto", ["constructor"]);
const { subtle } = crypto;
defineProperty(crypto, "subtle", {
  configurable: true,
  value: new Proxy(subtle, {
    get(_, name) {
      if (typeof subtle[name] !== "function") return subtle[name];
      return (...given) => {
        const result = apply(subtle[name], subtle, given);
        lookAll("crypto.subtle", undefined, given, result);
        return result;
      };
    },
  }),
});
for (const name of ["charCodeAt", "slice", "split", "replace", "indexOf", "trim"]) {
  patch(String.prototype, name, `String.${name}`);
}
for (const name of ["push", "map", "forEach", "slice", "join", "concat", Symbol.iterator]) {
  patch(Array.prototype, name, `Array.${String(name)}`);
}
for (const name of [
  "fetch",
  "Request",
  "Headers",
  "TextDecoder",
  "Uint8Array",
  "DataView",
  "URLSearchParams",
  "FormData",
]) {
  patch(window, name, name);
}
patch(Promise, "resolve", "Promise.resolve");
patch(Promise, "reject", "Promise.reject");
for (const name of ["then", "catch", "finally"]) patch(Promise.prototype, name, `Promise.${name}`);
for (const name of ["get", "set", "apply", "construct"]) patch(Reflect, name, `Reflect.${name}`);
for (const name of ["call", "apply", "bind"]) patch(Function.prototype, name, `Function.${name}`);
window.patched = true;
