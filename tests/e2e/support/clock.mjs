// One clock for the pages of a context and for their workers. Playwright's own reaches the pages alone.

/** The clock of a context; to be made before its pages are opened. */
export async function installClock(context) {
  await context.clock.install();
  await context.addInitScript(() => (window.workerScript = "worker.js"));
  return {
    /** Lets time pass, at once, in multiples of five seconds; what falls due on the way is run. */
    async letPass(seconds) {
      const milliseconds = seconds * 1000;
      await context.clock.fastForward(milliseconds);
      const workers = context.pages().flatMap((page) => page.workers());
      await Promise.all(workers.map((worker) => worker.evaluate((ms) => globalThis.letPass(ms), milliseconds)));
    },
  };
}
