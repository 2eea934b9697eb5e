/** What a request needs, and the request with it. The credential itself is kept here, out of the promises that pass it on. */
import { own } from "./error.js";
import {
  bare,
  headersOfRequest,
  keeper,
  Promise,
  JSON,
  Request,
  request as fetch,
  setHeader,
  then,
} from "./primitives.js";
import type { GrantPlain } from "./skin.js";

/** Names a credential. What it is, only `carry` finds out. */
export interface Grant {
  /** Names the credential that was given, so that an answer is judged against the right one. */
  ticket: string;
  /** Whether a proof goes along (RFC 9449). Its redirects are refused, so the answer is that of the address in it. */
  proven: boolean;
}

const kept = keeper<Grant, GrantPlain>();

/** What the core answers is text, which no promise looks into. */
export function granted(asked: PromiseLike<string | undefined>): Promise<Grant | undefined> {
  return new Promise((resolve, reject) =>
    then(asked, (text?: string) => resolve(text ? grantOf(text) : undefined), reject),
  );
}

function grantOf(text: string): Grant {
  const plain = JSON.parse(text) as GrantPlain;
  const { headers, ticket } = plain;
  const grant = bare({ ticket, proven: false });
  for (let at = 0; at < headers.length; at++) if (headers[at]![0] === "dpop") grant.proven = true;
  kept.set(grant, plain);
  return grant;
}

/** Sends the request with what it needs. */
export function carry(given: globalThis.Request, grant: Grant): globalThis.Promise<Response> {
  const { headers, credentials, redirect } = kept.get(grant)!;
  const refuse = (name: string) => {
    if (given.headers.has(name)) throw own("request_refused", `It already has the header ${name}.`);
  };
  refuse("authorization");
  for (let at = 0; at < headers.length; at++) refuse(headers[at]![0]);
  // The browser would leave the headers out without a word.
  if (headers.length > 0 && given.mode === "no-cors") throw own("request_refused", "Mode no-cors carries no headers.");
  // Any option at all resets the first two, so they are repeated.
  const { referrer, referrerPolicy } = given;
  const how: RequestInit = bare({ referrer, referrerPolicy });
  if (credentials) how.credentials = credentials;
  if (redirect) how.redirect = redirect;
  // A request of this module's own: that of the caller may have been made by anybody.
  const ours = new Request(given, how);
  for (let at = 0; at < headers.length; at++) setHeader(headersOfRequest(ours), headers[at]![0], headers[at]![1]);
  return fetch(ours);
}
