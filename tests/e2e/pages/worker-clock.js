// The clock of a worker in a test, which `letPass` moves. `?now=` is the time of the page that starts it.
const { setTimeout: later, clearTimeout: never } = globalThis;
const { now } = Date;
const elapsed = performance.now.bind(performance);
const waiting = new Map();
// Tests let whole multiples of five seconds pass; the rest is the time that it took to start.
let ahead = 5000 * Math.round((Number(new URL(globalThis.location.href).searchParams.get("now")) - now()) / 5000);

Date.now = () => now() + ahead;
performance.now = () => elapsed() + ahead;

globalThis.setTimeout = (work, delay = 0, ...rest) => {
  const run = () => {
    if (waiting.delete(id)) work(...rest);
  };
  const id = later(run, delay);
  waiting.set(id, { due: Date.now() + delay, run });
  return id;
};

globalThis.clearTimeout = (id) => {
  waiting.delete(id);
  never(id);
};

globalThis.letPass = (milliseconds) => {
  ahead += milliseconds;
  const due = [...waiting.values()].filter((timer) => timer.due <= Date.now());
  for (const { run } of due.sort((a, b) => a.due - b.due)) run();
};
