/** Storage adapters as an application might write them, by the names that tests use. */
export const adapters = {
  /** Asynchronous, shared by all tabs, survives a reload. */
  indexedDB: {
    get: async (key) => (await run("readonly", (store) => store.get(key))) ?? null,
    set: async (key, value) => void (await run("readwrite", (store) => store.put(value, key))),
    remove: async (key) => void (await run("readwrite", (store) => store.delete(key))),
  },
  /** Breaks its promise each time. */
  broken: {
    get: () => Promise.reject(new Error("the adapter is broken")),
    set: () => Promise.reject(new Error("the adapter is broken")),
    remove: () => Promise.reject(new Error("the adapter is broken")),
  },
};

let database;

async function run(mode, work) {
  database ??= settled(indexedDB.open("adapter", 1), (request) => {
    request.onupgradeneeded = () => request.result.createObjectStore("texts");
  });
  const store = (await database).transaction("texts", mode).objectStore("texts");
  return settled(work(store));
}

function settled(request, prepare) {
  prepare?.(request);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
