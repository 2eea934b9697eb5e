// What comes back through the worker: it must be what window.fetch would have shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "./support/browser.mjs";
import { page } from "./support/layered.mjs";

const MEGABYTE = 1 << 20;

/** All that an application can see of an answer, or the error's name. Runs in the page. */
const LOOK = `async (call) => {
  try {
    const response = await call();
    const { status, statusText, ok, url, redirected, type, bodyUsed } = response;
    const copy = response.clone();
    const look = { status, statusText, ok, url, redirected, type, bodyUsed, body: response.body === null };
    const again = { url: copy.url, status: copy.status, text: await copy.text(), clone: response.clone().url };
    const used = [await response.text(), response.bodyUsed];
    return { ...look, headers: [...response.headers], again, used, instance: response instanceof Response };
  } catch (error) {
    return error.name;
  }
}`;

test("an answer shows all that window.fetch would show of it", async (t) => {
  const elsewhere = await listen(t, (_, response) => {
    response.writeHead(200, { "access-control-allow-origin": "*" }).end("elsewhere");
  });
  const answers = {
    "/plain": () => [200, { "content-type": "text/plain", "x-answer": "1", "x-hidden": "2" }, "text"],
    "/created": () => [201, { "content-length": "4" }, "text"],
    "/none": () => [204, {}, ""],
    "/missing": () => [404, {}, "no"],
    "/broken": () => [503, { "retry-after": "1" }, "later"],
    "/odd": () => [299, {}, "odd"],
    "/beyond": () => [777, {}, "beyond"],
    "/moved": () => [302, { location: "/plain" }, ""],
    "/away": () => [302, { location: elsewhere }, ""],
  };
  const { page: tab, api } = await page(t, "worker", (_, { url }) => answers[url.replace(/\?.*/, "")]());
  const inits = [{}, { method: "HEAD" }, { method: "POST", body: "x" }, { redirect: "manual" }, { redirect: "error" }];
  for (const path of Object.keys(answers)) {
    for (const init of inits) {
      const [worker, own] = await tab.evaluate(
        `(async () => {
          const look = ${LOOK};
          const [address, init] = ${JSON.stringify([`${api}${path}?grant=null#y`, init])};
          return [await look(() => auth.fetch(address, init)), await look(() => window.fetch(address, init))];
        })()`,
      );
      assert.deepEqual(worker, own, `${path} ${JSON.stringify(init)}`);
    }
  }
});

test("a body can be read in every way, and as a stream into the reader's own buffer", async (t) => {
  const { page: tab, api } = await page(t, "worker", () => [200, { "content-type": "application/json" }, '{"a":[1]}']);
  const read = await tab.evaluate(async (api) => {
    const get = () => window.auth.fetch(api);
    const form = new Response("a=b", { headers: { "content-type": "application/x-www-form-urlencoded" } });
    const reader = (await get()).body.getReader({ mode: "byob" });
    const bytes = [];
    for (let buffer = new ArrayBuffer(4); ;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      bytes.push(...value);
      buffer = value.buffer;
    }
    return [
      await (await get()).json(),
      (await (await get()).arrayBuffer()).byteLength,
      (await (await get()).blob()).type,
      [...(await form.formData())],
      String.fromCharCode(...bytes),
    ];
  }, api);
  assert.deepEqual(read, [{ a: [1] }, 9, "application/json", [["a", "b"]], '{"a":[1]}']);
});

test("a server that cannot be reached, and a body that breaks off, fail as with window.fetch", async (t) => {
  const { page: tab, origin } = await page(t, "worker");
  const broken = await listen(t, (_, response) => {
    response.writeHead(200, { "access-control-allow-origin": origin, "content-length": String(10 * MEGABYTE) });
    response.write(Buffer.alloc(MEGABYTE), () => response.destroy());
  });
  const gone = await listen(t, (request) => request.socket.destroy());
  const names = await tab.evaluate(
    async ([broken, gone]) => {
      const auth = window.make("worker", new URL(broken).origin, new URL(gone).origin);
      const names = [];
      for (const get of [auth.fetch, window.fetch]) {
        const answer = await get(`${broken}/?grant=null`);
        const read = await answer.arrayBuffer().catch(({ name }) => name);
        names.push([answer.status, read, await get(`${gone}/?grant=null`).catch(({ name }) => name)]);
      }
      return names;
    },
    [broken, gone],
  );
  assert.deepEqual(names, Array(2).fill([200, "TypeError", "TypeError"]));
});

test("a download of 100 MB is let through as it is read, and is not piled up when it is not", async (t) => {
  let [sent, pieces] = [0, 100];
  const { page: tab, origin } = await page(t, "worker");
  const piece = Buffer.alloc(MEGABYTE, 7);
  const server = await listen(t, async ({ url }, response) => {
    response.writeHead(200, { "access-control-allow-origin": origin });
    const most = url.startsWith("/short") ? 100 : pieces;
    for (let count = 1; count <= most && !response.closed; count++) {
      if (most > 100) sent = count;
      if (!response.write(piece)) await new Promise((go) => response.once("drain", go).once("close", go));
    }
    response.end();
  });
  const progress = await tab.evaluate(async (server) => {
    window.big = window.make("worker", server);
    const reader = (await window.big.fetch(`${server}/?grant=null`)).body.getReader();
    let [size, pieces, sum] = [0, 0, 0];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { size, many: pieces > 100, sum };
      size += value.length;
      pieces++;
      sum += value[0] === 7 && value.at(-1) === 7 ? 0 : 1;
    }
  }, server);
  assert.deepEqual(progress, { size: 100 * MEGABYTE, many: true, sum: 0 });

  pieces = 2000;
  await tab.evaluate(async (server) => {
    window.slow = (await window.big.fetch(`${server}/?grant=null`)).body.getReader();
    await window.slow.read();
    // Meanwhile, as much as before goes through another call.
    await (await window.big.fetch(`${server}/short?grant=null`)).arrayBuffer();
  }, server);
  // What the buffers of the system and of the browser take is not ours.
  assert.ok(sent < 500, `${sent} MB were sent`);
  await tab.evaluate(() => window.slow.cancel());
});

test("an abort ends the call with the caller's own reason, before the answer and in the middle of it", async (t) => {
  let closed = 0;
  const { page: tab, origin } = await page(t, "worker");
  const arrived = [];
  const server = await listen(t, (request, response) => {
    request.socket.on("close", () => closed++);
    arrived.push(request.url);
    if (request.url.startsWith("/never")) return;
    response.writeHead(200, { "access-control-allow-origin": origin }).write("begun");
  });
  const outcome = await tab.evaluate(async (server) => {
    const auth = window.make("worker", server);
    await auth.init();
    const reason = { mine: true };
    const same = [];
    const at = (path, signal) => auth.fetch(`${server}/${path}?grant=null`, { signal });

    same.push(await at("never", AbortSignal.abort(reason)).catch((error) => error === reason));
    const waiting = new AbortController();
    const call = at("never", waiting.signal);
    waiting.abort(reason);
    same.push(await call.catch((error) => error === reason));

    const reading = new AbortController();
    const answer = await at("begun", reading.signal);
    const reader = answer.body.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    const rest = reader.read();
    reading.abort(reason);
    same.push(first, await rest.catch((error) => error === reason));
    const byDefault = new AbortController();
    const last = at("never", byDefault.signal);
    byDefault.abort();
    same.push(await last.catch(({ name }) => name));
    return same;
  }, server);
  assert.deepEqual(outcome, [true, true, "begun", true, "AbortError"]);
  while (closed < arrived.length) await new Promise((resolve) => setImmediate(resolve));
});

test("what the worker is not told, and what is no message of ours, changes nothing and tells nothing", async (t) => {
  const { page: tab, api, seen } = await page(t, "worker");
  const [heard, status] = await tab.evaluate(
    async ([api]) => {
      // A worker of one's own, as a script gets it that has wrapped the constructor before authsafe was loaded.
      const worker = new Worker("/scripted-worker.js", { type: "module" });
      const heard = [];
      worker.onmessage = ({ data }) => heard.push(data);
      const kinds = ["open", "call", "fetch", "abort", "pull", "cancel", "answer", "page", "ping"];
      const junk = [null, 1, "open", [], {}, { kind: 1 }, { kind: "token" }, { kind: "__proto__" }, new Map()];
      const empty = kinds.slice(1, -1).map((kind) => ({ kind }));
      const calls = ["constructor", "snapshot", "dispose", "authorize", "__proto__", "toString", 7, null];
      for (const message of [...junk, ...empty, ...calls.map((name) => ({ kind: "call", id: 1, name }))]) {
        worker.postMessage(message);
      }
      worker.postMessage({ kind: "ping" });
      await new Promise((resolve) =>
        worker.addEventListener("message", ({ data }) => data.kind === "pong" && resolve()),
      );
      // The client's own worker is another one, and still at work.
      return [heard, (await window.auth.fetch(api)).status];
    },
    [api],
  );
  assert.deepEqual(heard, [{ kind: "pong" }]);
  assert.equal(status, 200);
  assert.equal(seen.length, 1);
});

test("after its end, a worker answers nobody, and whoever waits is told", async (t) => {
  const { page: tab, origin } = await page(t, "worker");
  const server = await listen(t, (_, response) => {
    response.writeHead(200, { "access-control-allow-origin": origin }).write("begun");
  });
  const outcome = await tab.evaluate(async (server) => {
    const auth = window.make("worker", server);
    const answer = await auth.fetch(`${server}/?grant=null`);
    const reader = answer.body.getReader();
    await reader.read();
    const rest = reader.read();
    auth.dispose();
    return [await rest.catch(({ code }) => code), await auth.fetch(server).catch(({ code }) => code)];
  }, server);
  assert.deepEqual(outcome, ["disposed", "disposed"]);
  while (tab.workers().length > 1) await tab.waitForEvent("worker").catch(() => {});
});

test("once a worker has opened, the next one comes from the same place, whatever script says by then", async (t) => {
  const { page: tab } = await page(t, "worker");
  const isolation = await tab.evaluate(async () => {
    window.authsafe.setWorkerSource("/another-worker.js");
    window.authsafe.setWasmSource(Promise.reject(new Error("another wasm")));
    const auth = window.make("required");
    await auth.init();
    return auth.isolation;
  });
  assert.equal(isolation, "worker");
});

test("F55 a worker that ends before it was open fails the call that needed it, and the next call starts another", async (t) => {
  const { page: tab } = await page(t, "worker");
  // In a new document, no worker has opened yet.
  await tab.reload();
  await tab.waitForFunction(() => "authsafe" in window);
  const outcome = await tab.evaluate(async () => {
    const lines = [];
    const line = (text) => lines.push(text);
    const logger = { error: line, warn: line, info: line, debug: line };
    window.authsafe.setWorkerSource("/scripted-worker.js?trap");
    const auth = window.authsafe.createAuthClient({ mode: "token", logger, allowedOrigins: [] });
    const { code } = await auth.init().catch((error) => error);
    window.authsafe.setWorkerSource("/scripted-worker.js");
    const { state } = await auth.init();
    return [code, lines.filter((text) => text.includes("started again")), state.status, auth.isolation];
  });
  assert.deepEqual(outcome, ["core_lost", [], "unauthenticated", "worker"]);
});
