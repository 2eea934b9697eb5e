/** The sign-in form's routes: show it, judge it, cancel it. Mounted in front of oidc-provider's own routes. */
import { fileURLToPath } from "node:url";
import express from "express";
import { errorDocument, setSecurityHeaders, signInPage } from "./provider-pages.js";
import { authenticate } from "./users.js";

/**
 * @param {import("oidc-provider").Provider} provider
 * @param {{pageOrigins: string[], record: (event: object) => void}} options
 */
export function interactionRoutes(provider, { pageOrigins, record }) {
  const routes = express.Router();
  routes.get("/provider.css", (req, res) => res.sendFile(STYLE));
  routes.use("/interaction", (req, res, next) => {
    setSecurityHeaders((name, value) => res.set(name, value), { formTargets: pageOrigins });
    next();
  });

  routes.get("/interaction/:uid", async (req, res) => {
    const interaction = await provider.interactionDetails(req, res);
    if (interaction.prompt.name === "consent") return consent(provider, interaction, req, res);
    const { params, uid } = interaction;
    const client = await provider.Client.find(params.client_id);
    res.send(signInPage({ uid, username: params.login_hint, clientName: client.clientName ?? client.clientId }));
  });

  routes.post("/interaction/:uid/login", express.urlencoded({ extended: false, limit: "8kb" }), async (req, res) => {
    const { params, prompt, uid } = await provider.interactionDetails(req, res);
    if (prompt.name !== "login") return res.redirect(303, `/interaction/${uid}`);
    const { username, password } = req.body ?? {};
    const user = await authenticate(username, password);
    if (user) {
      record({ type: "login", sub: user.sub });
      return provider.interactionFinished(
        req,
        res,
        { login: { accountId: user.sub } },
        { mergeWithLastSubmission: false },
      );
    }
    record({ type: "login_failed" });
    const client = await provider.Client.find(params.client_id);
    res.status(401).send(
      signInPage({
        uid,
        username: typeof username === "string" ? username : "",
        error: "That user name and password do not match.",
        clientName: client.clientName ?? client.clientId,
      }),
    );
  });

  routes.post("/interaction/:uid/cancel", async (req, res) => {
    record({ type: "login_cancelled" });
    const result = { error: "access_denied", error_description: "The user cancelled the sign-in." };
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  });

  // An interaction that is over or belongs to another browser. `next` keeps errors of our own visible as such.
  routes.use("/interaction", (error, req, res, next) => {
    if (!error.expose) return next(error);
    const description = "This sign-in is no longer open. Go back to the application and start again.";
    res.status(error.statusCode ?? 400).send(errorDocument({ error: error.message, error_description: description }));
  });
  return routes;
}

/** Grants what the client asked for, without a question: the demo's page is the operator's own. */
async function consent(provider, interaction, req, res) {
  const { grantId, params, prompt, session } = interaction;
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes = {} } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes))
    grant.addResourceScope(resource, scopes.join(" "));
  const result = { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

const STYLE = fileURLToPath(new URL("provider.css", import.meta.url));
