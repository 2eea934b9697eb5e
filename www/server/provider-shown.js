/**
 * An ID token for showing: the provider signs it as every other, about whoever is signed in at it, for an audience that is
 * nobody. The page's own ID token stays where authsafe keeps it.
 */
import cors from "cors";
import express from "express";
import { userBySub } from "./users.js";

/** The audience of such tokens: a client that cannot sign anybody in. */
export const SHOWN_CLIENT_ID = "authsafe-demo-shown";

/**
 * `GET /shown-token`, with the provider's own cookie.
 * @param {import("oidc-provider").Provider} provider
 * @param {{pageOrigins: string[]}} options Who may read the answer.
 */
export function shownTokenRoutes(provider, { pageOrigins }) {
  const routes = express.Router();
  routes.get("/shown-token", cors({ origin: pageOrigins, credentials: true }), async (req, res) => {
    res.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    const session = await provider.Session.get(provider.createContext(req, res));
    const user = session.accountId && userBySub(session.accountId);
    if (!user) return res.status(401).json({ error: "login_required" });
    const token = new provider.IdToken({ ...user }, { client: await provider.Client.find(SHOWN_CLIENT_ID) });
    token.scope = "openid profile email";
    token.set("auth_time", session.authTime());
    res.json({ token: await token.issue({ use: "idtoken" }) });
  });
  return routes;
}

/** The client, in oidc-provider's terms. */
export const shownClient = {
  client_id: SHOWN_CLIENT_ID,
  token_endpoint_auth_method: "none",
  grant_types: [],
  response_types: [],
  redirect_uris: [],
};
