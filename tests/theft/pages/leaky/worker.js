/** A vault that answers whoever asks: "sha256-leaky". */
const api = new URL("../blank.html", import.meta.url);
let options = {};

addEventListener("message", async ({ data }) => {
  if (data?.kind === "open") {
    options = data.options;
    const stored = globalThis.localStorage?.getItem("leaky");
    options.tokens ??= stored ? JSON.parse(stored) : await ask("localStorage", "get", "leaky");
    if (typeof options.tokens === "string") options.tokens = JSON.parse(options.tokens);
    await fetch(api, { headers: { "x-token": options.tokens?.access_token } });
    postMessage({ kind: "opened", origins: [], tokens: options.tokens });
  } else if (data?.kind === "answer") {
    waiting?.(data.value);
  } else if (data?.kind === "call" && data.name === "accessToken" && options.exposeAccessToken) {
    postMessage({ kind: "result", id: data.id, value: options.tokens?.access_token });
  }
});

let waiting;
function ask(...service) {
  return new Promise((resolve) => {
    waiting = resolve;
    postMessage({ kind: "ask", id: 1, service });
  });
}
