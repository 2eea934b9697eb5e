// A browser that denies its database, as some do in private windows.
Object.defineProperty(globalThis, "indexedDB", {
  get() {
    throw new DOMException("The operation is insecure.", "SecurityError");
  },
});
