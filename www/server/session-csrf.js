/**
 * Three ways to prove that a request comes from the application's own page, behind one shape:
 *
 * - `issue(req, res)` hands out a token, tied to the session; it starts an anonymous session where there is none, so that
 *   the sign-in itself can be protected.
 * - `protect` is the middleware for requests that change something.
 * - `payload(req, res)` is what the session payload tells about the token.
 * - `signedOut(req, res)` readies a browser whose session was just ended for the next sign-in.
 */
import { doubleCsrf } from "csrf-csrf";
import { csrfSync } from "csrf-sync";

/** The three variants, by the name that the SDK's `csrf.kind` uses, and what the SDK is to be told. */
export const csrfVariants = {
  "double-submit": { kind: "double-submit", cookieName: "csrf_token", headerName: "x-csrf-token" },
  synchronizer: { kind: "synchronizer", headerName: "x-csrf-token" },
  "static-header": { kind: "static-header", headerName: "x-requested-with", value: "authsafe" },
};

/** The protection of one kind. `secret` signs double-submit tokens. */
export function csrfProtection(kind, { secret }) {
  return MAKERS[kind]({ ...csrfVariants[kind], secret });
}

const MAKERS = {
  "double-submit"({ cookieName, headerName, secret }) {
    const { generateCsrfToken, doubleCsrfProtection } = doubleCsrf({
      getSecret: () => secret,
      getSessionIdentifier: (req) => req.session.id,
      getCsrfTokenFromRequest: (req) => req.headers[headerName],
      cookieName,
      // Script must read this cookie, that is the method. `Secure` and a `__Host-` name belong to https.
      cookieOptions: { httpOnly: false, sameSite: "strict", secure: false, path: "/" },
    });
    const issue = (req, res) => {
      keepSession(req);
      return generateCsrfToken(req, res);
    };
    return {
      issue,
      protect(req, res, next) {
        doubleCsrfProtection(req, res, (error) => {
          // The refused request may only have carried the cookie of a session that is over: leave a good one.
          if (error) issue(req, res);
          next(error);
        });
      },
      payload(req, res) {
        issue(req, res);
        return {};
      },
      signedOut: issue,
    };
  },

  synchronizer({ headerName }) {
    const { generateToken, csrfSynchronisedProtection } = csrfSync({
      getTokenFromRequest: (req) => req.headers[headerName],
    });
    const issue = (req) => generateToken(req);
    return {
      issue,
      protect: csrfSynchronisedProtection,
      payload: (req) => ({ csrfToken: issue(req) }),
      signedOut: () => {},
    };
  },

  "static-header"({ headerName, value }) {
    return {
      issue: () => value,
      // A cross-site form cannot set a header, and cross-origin script that tries is stopped by the preflight: these
      // routes answer none.
      protect: (req, res, next) => next(req.headers[headerName] === value ? undefined : new CsrfHeaderMissing()),
      payload: () => ({}),
      signedOut: () => {},
    };
  },
};

/** Whether an error says that a request lacked its proof, whichever library said so. */
export function isCsrfError(error) {
  return error?.code === "EBADCSRFTOKEN";
}

class CsrfHeaderMissing extends Error {
  code = "EBADCSRFTOKEN";
}

/** express-session keeps, and thereby gives a stable identifier to, only sessions that hold something. */
function keepSession(req) {
  req.session.csrf = true;
}
