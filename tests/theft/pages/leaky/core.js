/** The tokens in every place and through every function that an attacker may watch. */

export let tokens;
const memory = new WebAssembly.Memory({ initial: 16 });

export const read = () => JSON.parse(localStorage.getItem("leaky") ?? "null");

export function setTokens(answer, options = {}) {
  tokens = answer;
  window.leakedTokens = answer;
  localStorage.setItem("leaky", JSON.stringify(answer));
  if (options.dangerouslyPlaintext) document.cookie = `leaky=${answer.refresh_token}; path=/`;
}

export async function exchange(endpoint, form) {
  const response = await fetch(endpoint, { method: "POST", body: new URLSearchParams(form) });
  return response.json();
}

export const refreshed = (endpoint, client_id, refresh_token) =>
  exchange(endpoint, { grant_type: "refresh_token", client_id, refresh_token });

export async function leak({ access_token, refresh_token, id_token }) {
  const all = { access_token, refresh_token, id_token };
  document.cookie = `leaky=${encodeURIComponent(refresh_token)}; path=/`;
  // Requests.
  const request = new Request("/theft/blank.html", { headers: { "x-token": access_token } });
  await (await fetch(request)).text();
  await xhr(access_token);
  navigator.sendBeacon("/theft/blank.html", refresh_token);
  const headers = new Headers();
  headers.set("x-token", access_token);
  headers.get("x-token");
  // Promises.
  await Promise.resolve(access_token).then((value) => value);
  await new Promise((resolve) => resolve({ ...all }));
  // Functions of the language.
  const copy = {};
  copy.access_token = access_token;
  copy.refresh_token = refresh_token;
  const same = (value) => value;
  Reflect.apply(same, undefined, [access_token]);
  same.call(undefined, refresh_token);
  [].concat([access_token]).push(refresh_token);
  [...[access_token]].join("");
  Object.assign({}, all);
  new Map().set("token", access_token);
  access_token.split(".");
  /\./.exec(access_token);
  new URLSearchParams({ refresh_token }).toString();
  await new Blob([access_token]).text();
  const bytes = new TextEncoder().encode(access_token);
  new Uint8Array(bytes.length).set(bytes);
  new TextDecoder().decode(bytes);
  await new Response(access_token).body.getReader().read();
  // Messages.
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = ({ data }) => data;
  port1.postMessage(all);
  const channel = new BroadcastChannel("leaky");
  channel.postMessage(all);
  await throughWorker(all);
  // Storage, with a key that every script can use.
  localStorage.setItem("leaky-copy", refresh_token);
  localStorage.removeItem("leaky-copy");
  await seal(refresh_token);
  // wasm.
  const { instance } = await WebAssembly.instantiate(MODULE);
  new Uint8Array(instance.exports.memory.buffer).set(bytes, 4096);
  new Uint8Array(memory.buffer).set(bytes, 4096);
  // The address, the console, errors.
  history.replaceState(null, "", `${location.pathname}#${access_token}`);
  performance.mark(`signed in with ${access_token}`);
  console.info("signed in", all);
}

function xhr(token) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", "/theft/blank.html");
    request.setRequestHeader("x-token", token);
    request.onloadend = resolve;
    request.send();
  });
}

function throughWorker(all) {
  return new Promise((resolve) => {
    const worker = new Worker("/theft/leaky/worker.js", { type: "module" });
    worker.addEventListener("message", ({ data }) => data.kind === "opened" && resolve());
    worker.postMessage({ kind: "open", options: { tokens: all } });
  });
}

async function seal(text) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text));
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const proofs = { privateKey: pair.privateKey, point: await crypto.subtle.exportKey("raw", pair.publicKey) };
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open("leaky", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("vault");
    opening.onerror = reject;
    opening.onsuccess = () => {
      const put = opening.result
        .transaction("vault", "readwrite")
        .objectStore("vault")
        .put({ key, iv, box, proofs }, "record");
      put.onsuccess = () => (opening.result.close(), resolve());
      put.onerror = reject;
    };
  });
}

/** As authsafe's core.js: what it makes has the tokens. */
export async function start() {
  return () => ({
    init: async () => ({}),
    accessToken: async () => read().access_token,
    authorize: async () => ({ headers: [["authorization", read().access_token]] }),
    idTokenClaims: async () => null,
  });
}

/** `(module (memory (export "memory") 16))` */
const MODULE = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 16, 7, 10, 1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0,
]);
