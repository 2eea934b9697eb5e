// authsafe, as its README says.
import { createAuthClient } from "authsafe";

export async function startAuthsafe({ issuer, clientId, scope, redirectUri, apiUrl, exposed, storage }, options) {
  const auth = createAuthClient({
    mode: "token",
    id: "bench",
    oidc: { issuer, clientId, scope, redirectUri },
    allowedOrigins: [new URL(apiUrl).origin],
    // As the others keep theirs, but sealed; and with bearer tokens, as they have.
    storage: storage ?? "localStorage",
    dpop: "never",
    restore: "refresh-token",
    ...(exposed && { exposeAccessToken: true }),
    ...options,
  });
  const { error } = await auth.init();
  if (error) throw error;
  return {
    auth,
    signedIn: () => auth.getState().status === "authenticated",
    signIn: () => auth.login({ via: "redirect" }),
    forget: () => auth.logout({ scope: "local" }),
    accessToken: () => auth.getAccessToken(),
    freshToken: () => auth.getAccessToken(),
    request: (url) => auth.fetch(url),
  };
}
