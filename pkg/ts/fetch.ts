import { type AuthErrorFields, report } from "./error.js";
import { abortable } from "./abortable.js";
import { carry, type Grant } from "./grant.js";
import { copyOf, methodOf, Request, urlOf } from "./primitives.js";
import type { Again, Core, OptionFunctions } from "./skin.js";

/** What `send` asks about the credential. */
export interface Gate {
  /** What a request to this address needs; nothing, where no credential may go. */
  authorize(url: string, method: string): Promise<Grant | undefined>;
  /** Whether the same request should be sent once more. The address and the nonce go with the answer to a proof. */
  answered: Core["answered"];
  isSessionExpired?: OptionFunctions["isSessionExpired"];
}

/** The answers that may be about the credential. 419 is what some frameworks say to an expired CSRF token. */
const ABOUT_CREDENTIAL = [401, 403, 419];

/**
 * `window.fetch` with the credential added where it may go; one replay where the credential was renewed meanwhile, and one
 * where the server wanted a nonce in the proof (RFC 9449 §9). `body` is what the request was made from: a stream can be read
 * only once, so such a request cannot be sent twice.
 */
export async function send(gate: Gate, given: Request, body?: unknown): Promise<Response> {
  const { signal } = given;
  // What is judged must be what is sent: script of the page can make any object say another address.
  const request = new Request(given);
  const [url, method] = [urlOf(request) as string, methodOf(request) as string];
  signal.throwIfAborted();
  const ask = () => abortable(() => gate.authorize(url, method), signal);
  const judge = (grant: Grant, answer: Response) => abortable(() => isRetryWorth(gate, grant, answer, url), signal);

  let grant = await ask();
  if (!grant) return fetch(request);
  let spare = body instanceof ReadableStream ? undefined : copyOf(request);
  let answer = await carry(request, grant);
  let again: Again = false;
  try {
    again = await judge(grant, answer);
    for (const tried = new Set<Again>(); again && spare && !tried.has(again);) {
      const renewed = await ask();
      if (!renewed) break;
      grant = renewed;
      // Frees the connection. A body that is broken already is as good as cancelled.
      answer.body?.cancel().catch(() => {});
      const next: Request = spare;
      spare = grant.proven ? copyOf(next) : undefined;
      answer = await carry(next, grant);
      tried.add(again);
      // Also where there is no further attempt: this lets the core notice that the session has ended.
      again = await judge(grant, answer).catch(() => false as const);
    }
  } catch (error) {
    const { phase, code }: Partial<AuthErrorFields> = Object(error);
    // The server did answer. That no second attempt can be made is no reason to withhold it, unless only the server's
    // operator can help, and would not learn it from the answer.
    if (signal.aborted || !phase || code === "dpop_nonce_unavailable") throw error;
  }
  return answer;
}

async function isRetryWorth(gate: Gate, grant: Grant, answer: Response, url: string): Promise<Again> {
  const { ticket, proven } = grant;
  const status = (await saysExpired(gate, answer)) ? 401 : answer.status;
  // Any answer may bring the nonce of the next request.
  const nonce = proven ? answer.headers.get("dpop-nonce") : null;
  if (nonce === null && !ABOUT_CREDENTIAL.includes(status)) return false;
  const challenge = answer.headers.get("www-authenticate");
  return proven ? gate.answered(ticket, status, challenge, url, nonce) : gate.answered(ticket, status, challenge);
}

async function saysExpired({ isSessionExpired }: Gate, answer: Response): Promise<boolean> {
  if (!isSessionExpired) return false;
  const copy = answer.clone();
  try {
    return await isSessionExpired(copy);
  } catch (error) {
    report(error);
    return false;
  } finally {
    // Unread, it would hold back or hoard what the caller reads.
    if (!copy.bodyUsed) copy.body?.cancel().catch(() => {});
  }
}
