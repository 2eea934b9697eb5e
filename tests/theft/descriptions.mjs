// What each attack does, in a sentence. The numbers name a technique and stay what they are.
export const descriptions = {
  "A23 requests through the client": "has the client call the API, as the application does",
  "T1 storage dump":
    "reads Web Storage, cookies, every IndexedDB record, the caches, `window.name` and `history.state`",
  "T2 object walk": "follows every property, prototype and accessor from `window`, and the source text of functions",
  "T4 IndexedDB key oracle": "uses the keys that it finds in IndexedDB to open whatever is stored anywhere",
  "T5 fetch": "replaces `fetch`",
  "T5 XMLHttpRequest": "replaces `open`, `send`, `setRequestHeader` and the accessors of the response",
  "T5 Request, Response and Headers": "replaces the classes and the methods that read or write a header or a body",
  "T5 a request that lies about its address":
    "has the client call the attacker with requests, and a class of them, that say they go to the API",
  "T5 sendBeacon, WebSocket and EventSource": "replaces them",
  "T6 Promise.prototype": "replaces `then`, `catch` and `finally`, and `Promise.resolve`, `all`, `race`, `any`",
  "T6 Promise constructor": "makes `Promise.prototype.constructor` an accessor, which `await` asks",
  "T7 TextDecoder and typed arrays":
    "replaces them, and keeps every large buffer that comes by, to look through it later",
  "T8 Object.prototype.then": "an accessor that every object is asked for that a promise is resolved with",
  "T9 setters on Object.prototype": "accessors by the names of tokens, which assignments run into",
  "T9 getters on Object.prototype":
    "accessors by the names of options of a request, which show the object that lacks them",
  "T9 JSON": "replaces `JSON.parse` and `JSON.stringify`",
  "T9 Reflect and Function.prototype": "replaces `Reflect.*` and `call`, `apply`, `bind`",
  "T9 Array and iterators": "replaces methods of arrays and their iterators, which destructuring and spreading call",
  "T9 Object, Map and Set": "replaces `Object.assign`, `entries` and so on, and the methods of maps and sets",
  "T9 String and RegExp": "replaces methods of strings and expressions, `atob`, `btoa`, `encodeURIComponent`",
  "T9 URL, URLSearchParams, FormData and Blob": "replaces the classes and their methods",
  "T9 streams": "replaces the readers and controllers of streams",
  "T9 storage methods": "replaces `setItem`, `getItem`, `document.cookie`, and what writes and reads IndexedDB",
  "T11 MessageEvent.data": "replaces the accessor by which a message is read",
  "T11 postMessage": "replaces it on windows, workers, ports and channels",
  "T11 addEventListener and onmessage": "listens wherever somebody listens for messages",
  "T12 crypto": "replaces `crypto.subtle.*` and the random functions, and listens",
  "T12 constant randomness": "makes the random functions answer the same each time, so that a verifier can be foretold",
  "T13 import the client's files again": "imports each script of the client once more and calls whatever it exports",
  "T13 core.js, started without the client": "starts authsafe's core by itself, with `exposeAccessToken`",
  "T14 WebAssembly": "replaces what makes wasm instances, and looks through their memory",
  "T15 Worker constructor, listening": "replaces `Worker`, and listens to what each worker says",
  "T15 Worker constructor, replaced":
    "starts a worker of its own in the client's place, which hooks `fetch` and then is the client's",
  "T15 messages to the worker, tampered with":
    "adds `exposeAccessToken` to the options on their way, and asks for the token",
  "T15 timers that kill the worker":
    "lets every wait end at once, so that the client gives its worker up, and has a listening one ready for the next",
  "T16 public methods of the client": "calls every method of the client object",
  "T17 the worker, spoken to directly": "starts `worker.js` and speaks its protocol, with `exposeAccessToken`",
  "T17 the worker's script, run in the page": "imports `worker.js` into the page and speaks its protocol there",
  "T18 silent sign-in in a frame":
    "asks the provider for a code of its own in a hidden frame (`prompt=none`), and redeems it elsewhere",
  "T19 silent sign-in in a popup": "the same in a popup",
  "T20 look-alike addresses": "has the client call addresses that resemble the API's",
  "T21 redirect to the attacker": "has the client call an address of the API that redirects to the attacker",
  "T22 an allowed API that echoes":
    "has the client call an allowed API that answers with the request's header, in several spellings",
  "T23 BroadcastChannel, storage and message events":
    "listens on channels, to storage events from a frame, and to messages",
  "T24 navigation": "watches addresses: history, navigation events, `open`, and those of frames, links and forms",
  "T24 browser's memory of the visit": "reads performance entries, the referrer and the navigation history",
  "T25 the code, before the client reads it":
    "is first on the callback page, stops it, and takes the code with all that may hold or open its verifier",
  "T38 second client with the attacker's token endpoint":
    "starts a client with the application's options and another token endpoint, and has it renew",
  "T43 polluted prototype": "sets options such as `exposeAccessToken` on `Object.prototype`",
  "T44 console and errors": "listens to the console, to errors and to rejections",
  "T50 a second client on the page":
    "starts another client with the application's options (those that are not authsafe)",
  "T50 second client in the page, token exposed": "starts a client with `isolation: 'page'` and `exposeAccessToken`",
  "T50 second client in a worker, token exposed": "starts a client with `exposeAccessToken`",
  "T50 second client that allows the attacker's origin": "starts a client with `allowedOrigins` of its own",
  "T50 second client with a listening adapter": "starts a client that stores by an adapter of the attacker's",
  "T51 service worker":
    "registers one that covers the page and its workers and hears all their requests: for attackers who can have a script file served by the page's origin",
  "T53 proofs signed with the page's key":
    "signs proofs (DPoP) with a key that it finds in IndexedDB, for tokens that it has, and uses both elsewhere",
  "T54 second client in a frame with pristine functions": "starts a client in a frame that no script has patched",
};
