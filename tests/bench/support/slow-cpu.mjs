// A slow processor: stops the browser's renderer processes three quarters of the time. DevTools'
// Emulation.setCPUThrottlingRate slows the thread of a page and refuses workers, so that whatever runs in a worker would
// seem fast. Started as a process of its own: `node slow-cpu.mjs RATE PID...`; ends, and lets them go, at the end of its input.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, workerData } from "node:worker_threads";

/** How long a process runs at a time. Shorter would cost more than it shows; longer would be seen in the figures. */
const RUN_MS = 2;

/** Slows these processes until what it gives is called. */
export async function slowDown(pids, rate) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(rate), ...pids.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return async () => {
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end();
    await gone;
  };
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }
}

if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rate, ...pids] = process.argv.slice(2).map(Number);
  const over = new Int32Array(new SharedArrayBuffer(8));
  const beat = new Worker(new URL(import.meta.url), { workerData: { rate, pids, over } });
  beat.once("message", () => console.log("slow"));
  beat.once("exit", () => process.exit());
  process.stdin.resume().once("end", () => Atomics.store(over, 0, 1));
} else if (!isMainThread && workerData?.over) {
  const { rate, pids, over } = workerData;
  const { parentPort } = await import("node:worker_threads");
  const sleep = (ms) => Atomics.wait(over, 1, 0, ms);
  parentPort.postMessage("begun");
  let ranMs = RUN_MS;
  while (!Atomics.load(over, 0)) {
    signal(pids, "SIGSTOP");
    sleep(ranMs * (rate - 1));
    const begin = performance.now();
    signal(pids, "SIGCONT");
    sleep(RUN_MS);
    // On a busy machine this wakes up late, and they ran longer.
    ranMs = performance.now() - begin;
  }
}
