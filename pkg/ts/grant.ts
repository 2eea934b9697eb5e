/** What a request needs, and the request with it. The credential itself is kept here, out of the promises that pass it on. */
import { own } from "./error.js";
import {
  bare,
  hasHeader,
  headersOfRequest,
  JSON,
  keeper,
  modeOf,
  policyOf,
  Promise,
  referrerOf,
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
  // Without a prototype: what is not in it is asked of nobody.
  const plain = bare(JSON.parse(text) as GrantPlain);
  const { headers, ticket } = plain;
  const grant = bare({ ticket, proven: false });
  for (let at = 0; at < headers.length; at++) if (headers[at]![0] === "dpop") grant.proven = true;
  kept.set(grant, plain);
  return grant;
}

/** Sends a request of our own making with what it needs. */
export function carry(request: globalThis.Request, grant: Grant): globalThis.Promise<Response> {
  const { headers, credentials, redirect } = kept.get(grant)!;
  const refuse = (name: string) => {
    if (hasHeader(headersOfRequest(request), name)) throw own("request_refused", `It already has the header ${name}.`);
  };
  refuse("authorization");
  for (let at = 0; at < headers.length; at++) refuse(headers[at]![0]);
  // The browser would leave the headers out without a word.
  if (headers.length > 0 && modeOf(request) === "no-cors")
    throw own("request_refused", "Mode no-cors carries no headers.");
  // Any option at all resets the first two, so they are repeated.
  const how: RequestInit = bare({ referrer: referrerOf(request), referrerPolicy: policyOf(request) });
  if (credentials) how.credentials = credentials;
  if (redirect) how.redirect = redirect;
  const sent = new Request(request, how);
  for (let at = 0; at < headers.length; at++) setHeader(headersOfRequest(sent), headers[at]![0], headers[at]![1]);
  return fetch(sent);
}
