/** The few pages that the provider shows a person: sign in, sign out, what went wrong. No script but one hashed line. */
import { createHash } from "node:crypto";
import { demoUsers } from "./users.js";

/**
 * The sign-in form of one interaction.
 * @param {{uid: string, username?: string, error?: string, clientName: string}} view
 */
export function signInPage({ uid, username = "", error, clientName }) {
  const failed = error ? ' aria-invalid="true" aria-describedby="error"' : "";
  const users = demoUsers
    .map((user) => `<li><kbd>${escape(user.username)}</kbd> with <kbd>${escape(user.password)}</kbd></li>`)
    .join("");
  return page({
    title: error ? "Sign-in failed" : "Sign in",
    body: `
      <h1>Sign in</h1>
      <p>to continue to <strong>${escape(clientName)}</strong></p>
      <p id="error" class="error" role="alert" aria-live="assertive">${escape(error ?? "")}</p>
      <form method="post" action="/interaction/${encodeURIComponent(uid)}/login">
        <label for="username">User name</label>
        <input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required
          value="${escape(username)}"${username ? "" : " autofocus"}${failed}>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required${username ? " autofocus" : ""}${failed}>
        <button type="submit" class="primary">Sign in</button>
      </form>
      <form method="post" action="/interaction/${encodeURIComponent(uid)}/cancel">
        <button type="submit">Cancel</button>
      </form>
      <aside aria-label="Demo accounts">
        <p>This is a demo. Sign in as</p>
        <ul>${users}</ul>
      </aside>`,
  });
}

/**
 * RP-initiated logout. A request that proves by its ID token whose session it ends needs no further question; any other
 * page could have sent the user here, so then the user is asked.
 */
export function logoutPage(ctx, form, { confirm, pageOrigins }) {
  const { session, entities } = ctx.oidc;
  const proven = entities.IdTokenHint?.payload.sub === session.accountId;
  const script = proven && !confirm ? SUBMIT_LOGOUT : undefined;
  setSecurityHeaders((name, value) => ctx.set(name, value), { formTargets: pageOrigins, script });
  const clientName = ctx.oidc.client?.clientName;
  ctx.body = script
    ? page({
        title: "Signing out",
        body: `
      <h1>Signing out …</h1>
      ${form}
      <input type="hidden" name="logout" value="yes" form="op.logoutForm">
      <noscript><button type="submit" class="primary" form="op.logoutForm">Continue</button></noscript>
      <script>${script}</script>`,
      })
    : page({
        title: "Sign out?",
        body: `
      <h1>Sign out?</h1>
      <p>${clientName ? `<strong>${escape(clientName)}</strong> asks to end` : "This ends"} your session at this provider.</p>
      ${form}
      <button type="submit" class="primary" name="logout" value="yes" form="op.logoutForm" autofocus>Sign out</button>
      <button type="submit" form="op.logoutForm">Stay signed in</button>`,
      });
}

/** Where a sign-out ends that named no page to go back to. */
export function loggedOutPage(ctx) {
  setSecurityHeaders((name, value) => ctx.set(name, value));
  ctx.body = page({ title: "Signed out", body: "<h1>Signed out</h1><p>You can close this page.</p>" });
}

/** An error that cannot be told to the client, because it is not known who that would be. */
export function errorPage(ctx, out) {
  setSecurityHeaders((name, value) => ctx.set(name, value));
  ctx.type = "html";
  ctx.body = errorDocument(out);
}

/** The same, outside of oidc-provider's own routes. */
export function errorDocument({ error, error_description: description = "" }) {
  return page({
    title: "This did not work",
    body: `<h1>This did not work</h1><p>${escape(description)}</p><p><code>${escape(error)}</code></p>`,
  });
}

/**
 * A page may run no script but the one given, and send forms only to the provider and, because browsers apply the rule
 * to the redirects that follow as well, to `formTargets`.
 */
export function setSecurityHeaders(set, { formTargets = [], script } = {}) {
  const hash = script && `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src data:",
    `script-src ${hash ?? "'none'"}`,
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  set("Content-Security-Policy", policy.join("; "));
  set("Referrer-Policy", "no-referrer");
  set("X-Content-Type-Options", "nosniff");
  set("Cache-Control", "no-store");
}

const SUBMIT_LOGOUT = 'document.getElementById("op.logoutForm").submit();';

function page({ title, body }) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${escape(title)} – demo provider</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/provider.css">
  </head>
  <body>
    <header>Demo OpenID provider</header>
    <main>${body}
    </main>
  </body>
</html>
`;
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
