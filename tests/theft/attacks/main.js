// What the harness drives: hooks are set, acts are run, and everything is sent. Kept under a symbol that only it knows.

const control = {
  hook(names) {
    for (const name of names) hooks[name](name);
  },
  trap(names) {
    for (const name of names) traps[name](name);
  },
  /** What a trap needs before it is set. */
  idle,
  async run(names) {
    quiet = true;
    const all = { ...reads, ...acts, ...rivals };
    for (const name of names)
      await within(30_000, () => all[name](name).catch((error) => report(name, `failed: ${error?.stack}`)));
    await idle();
  },
  async scan() {
    for (const { attack, buffer, memory } of memories.splice(0)) {
      const held = memory?.buffer ?? buffer;
      // A memory that has grown since has left this buffer behind.
      if (held.byteLength) scan(attack, held);
    }
    await idle();
  },
};
Object.defineProperty(globalThis, Symbol.for("theft"), { value: control, configurable: true });
