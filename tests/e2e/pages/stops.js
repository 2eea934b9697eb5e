// Stops the core at a point that the test names in `stopAt`, and says so. It loads before the package.
function stop(owner, name, point, instead) {
  const real = owner.prototype[name];
  owner.prototype[name] = function (...given) {
    const call = () => real.apply(this, given);
    if (globalThis.stopAt !== point) return call();
    console.debug(`stopped at ${point}`);
    return instead(call, this);
  };
}

// The answer is there, and what it brought is never sealed.
stop(SubtleCrypto, "encrypt", "sealing", () => new Promise(() => {}));
// It is being written, in a transaction that does not come to its end.
stop(IDBObjectStore, "put", "writing", (put, store) => {
  const request = put();
  const busy = () => (store.get("nothing").onsuccess = busy);
  busy();
  return request;
});
// It is written, and nobody hears of it.
stop(BroadcastChannel, "postMessage", "telling", () => {});
