// d: what a client holds after its first call, when the garbage is gone: the heaps of the page and of its worker, and the
// memory of the wasm.
import { distinct } from "../support/clients.mjs";
import { shuffled } from "../support/stats.mjs";

export const title = "heap: JavaScript of page and worker, and wasm memory, after the first call";
export const unit = "kB";

export async function run(world, { runs, say }) {
  const contexts = new Map();
  for (const client of distinct) contexts.set(client, await world.signedIn(client, ["fast"]));
  const samples = {};
  for (let run = 0; run < runs; run++) {
    for (const client of shuffled(distinct)) {
      const { page, worker, wasm } = await weigh(world, contexts.get(client), client);
      const parts = { page, worker, wasm, "all three": page + worker + wasm };
      for (const [part, bytes] of Object.entries(parts))
        ((samples[part] ??= {})[client.name] ??= []).push(bytes / 1000);
    }
    say(`heap: run ${run + 1} of ${runs}`);
  }
  for (const context of contexts.values()) await world.closeProfile(context);
  return { samples };
}

async function weigh(world, context, client) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  const send = (method, params) => devtools.send(method, params);
  const workers = watchWorkers(devtools);
  await send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  await page.goto(`${world.origins.fast}/${client.page}/`);
  await page.waitForFunction(() => window.answeredMs);
  const own = await realm(send);
  const others = [];
  for (const worker of workers) others.push(await realm(worker));
  const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
  const found = {
    page: own.heap,
    worker: sum(others, ({ heap }) => heap),
    wasm: sum([own, ...others], ({ wasm }) => wasm),
  };
  await page.close();
  return found;
}

/** A way to talk to each worker. */
function watchWorkers(devtools) {
  const workers = [];
  devtools.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
    if (targetInfo.type !== "worker") return;
    let last = 0;
    workers.push(
      (method, params = {}) =>
        new Promise((resolve, reject) => {
          const id = ++last;
          const hear = (event) => {
            const message = JSON.parse(event.message);
            if (event.sessionId !== sessionId || message.id !== id) return;
            devtools.off("Target.receivedMessageFromTarget", hear);
            if (message.error) reject(new Error(`${method}: ${message.error.message}`));
            else resolve(message.result);
          };
          devtools.on("Target.receivedMessageFromTarget", hear);
          const text = JSON.stringify({ id, method, params });
          devtools.send("Target.sendMessageToTarget", { sessionId, message: text }).catch(reject);
        }),
    );
  });
  return workers;
}

/** The used heap of a realm, and its wasm memory, in bytes. */
async function realm(send) {
  await send("HeapProfiler.collectGarbage");
  const { usedSize } = await send("Runtime.getHeapUsage");
  const prototype = await send("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
  const { objects } = await send("Runtime.queryObjects", { prototypeObjectId: prototype.result.objectId });
  const { result } = await send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }",
    returnByValue: true,
  });
  return { heap: usedSize, wasm: result.value };
}
