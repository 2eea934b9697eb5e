// A browser whose database is of no use: denied, as in some private windows, full, or without an answer. The page says which before
// this runs, and a worker by its address.
const how = globalThis.databaseFault ?? new URLSearchParams(location.search).get("how");
if (how === "full") {
  IDBObjectStore.prototype.put = () => {
    throw new DOMException("No room is left.", "QuotaExceededError");
  };
} else {
  Object.defineProperty(globalThis, "indexedDB", {
    get() {
      if (how === "mute") return { open: () => ({}) };
      throw new DOMException("The operation is insecure.", "SecurityError");
    },
  });
}
