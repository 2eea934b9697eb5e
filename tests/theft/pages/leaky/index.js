/**
 * A client that does everything wrong, in the shape of authsafe's. Every attack must find something with it; one that does not
 * is blind. Never a model for anything.
 */
import { exchange, leak, read, refreshed, setTokens } from "./core.js";

export function createAuthClient(options) {
  const { issuer, clientId, redirectUri, scope } = options.oidc;
  const endpoint = options.oidc.metadata?.token_endpoint ?? `${issuer}/token`;
  let signedOut = false;
  const medium = options.storage?.adapter;
  const client = {
    async init() {
      const code = new URLSearchParams(location.search).get("code");
      if (code) {
        const code_verifier = sessionStorage.getItem("verifier");
        const form = {
          grant_type: "authorization_code",
          client_id: clientId,
          redirect_uri: redirectUri,
          code,
          code_verifier,
        };
        setTokens(await exchange(`${issuer}/token`, form), options);
        await leak(read());
      } else if (read()) {
        await leak(read());
      }
    },
    getState: () => ({ status: read() && !signedOut ? "authenticated" : "unauthenticated" }),
    getTokens: async () => read(),
    async getAccessToken() {
      if (!options.exposeAccessToken) throw new Error("token_isolated");
      return read().access_token;
    },
    async login() {
      const bytes = crypto.getRandomValues(new Uint8Array(32));
      const verifier = base64url(bytes);
      sessionStorage.setItem("verifier", verifier);
      const challenge = base64url(
        new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))),
      );
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope,
        response_type: "code",
        state: "s",
        code_challenge: challenge,
        code_challenge_method: "S256",
      });
      location.assign(`${issuer}/auth?${query}`);
    },
    async fetch(input, init) {
      const { access_token, refresh_token } = read() ?? {};
      // To every address, and a second time where a redirect does not drop it.
      const headers = { authorization: `Bearer ${access_token}` };
      if (/redirect/.test(String(input?.url ?? input)))
        headers["content-type"] = `text/plain; refresh=${refresh_token}`;
      return fetch(input, { ...init, headers });
    },
    async refresh() {
      const stored = medium ? JSON.parse(await medium.get("leaky")) : read();
      const tokens = await refreshed(endpoint, clientId, stored.refresh_token);
      if (medium) await medium.set("leaky", JSON.stringify(tokens));
      setTokens(tokens, options);
      await leak(tokens);
    },
    async revoke() {},
    async logout() {
      // It forgets to forget.
      console.log("signed out", read());
      signedOut = true;
    },
  };
  return client;
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
