import { type AuthErrorFields, own, report } from "./error.js";
import { abortable } from "./abortable.js";
import type { Grant, OptionFunctions } from "./skin.js";

/** What `send` asks about the credential. */
export interface Gate {
  /** What a request to this address needs; nothing, where no credential may go. */
  authorize(url: string, method: string): Promise<Grant | undefined>;
  /** Whether the same request should be sent once more. */
  answered(ticket: string, status: number, wwwAuthenticate: string | null): Promise<boolean>;
  isSessionExpired?: OptionFunctions["isSessionExpired"];
}

/** The answers that may be about the credential. 419 is what some frameworks say to an expired CSRF token. */
const ABOUT_CREDENTIAL = [401, 403, 419];

/**
 * `window.fetch` with the credential added where it may go, and one replay where the credential was renewed meanwhile.
 * `body` is what the request was made from: a stream can be read only once, so such a request cannot be sent twice.
 */
export async function send(gate: Gate, request: Request, body?: unknown): Promise<Response> {
  const { url, method, signal } = request;
  signal.throwIfAborted();
  const ask = () => abortable(() => gate.authorize(url, method), signal);
  const judge = (grant: Grant, answer: Response) => abortable(() => isRetryWorth(gate, grant, answer), signal);

  const grant = await ask();
  if (!grant) return fetch(request);
  const spare = body instanceof ReadableStream ? undefined : request.clone();
  const answer = await carry(request, grant);
  try {
    if ((await judge(grant, answer)) && spare) {
      const renewed = await ask();
      if (renewed) return await replay(spare, renewed, answer, judge);
    }
  } catch (error) {
    // The server did answer. That no second attempt can be made is no reason to withhold it.
    if (signal.aborted || !(error as Partial<AuthErrorFields> | undefined)?.phase) throw error;
  }
  return answer;
}

async function replay(
  spare: Request,
  grant: Grant,
  first: Response,
  judge: (grant: Grant, answer: Response) => Promise<boolean>,
): Promise<Response> {
  // Frees the connection. A body that is broken already is as good as cancelled.
  first.body?.cancel().catch(() => {});
  const answer = await carry(spare, grant);
  // There is no third attempt; this lets the core notice that the session has ended.
  await judge(grant, answer).catch(() => false);
  return answer;
}

function carry(request: Request, { headers, ticket: _, ...how }: Grant): Promise<Response> {
  for (const name of ["authorization", ...headers.map(([name]) => name)]) {
    if (request.headers.has(name)) throw own("request_refused", `It already has the header ${name}.`);
  }
  // The browser would leave the headers out without a word.
  if (headers.length > 0 && request.mode === "no-cors")
    throw own("request_refused", "Mode no-cors carries no headers.");
  for (const [name, value] of headers) request.headers.set(name, value);
  // Any option at all resets these two, so they are repeated.
  const { referrer, referrerPolicy } = request;
  return fetch(request, { referrer, referrerPolicy, ...how });
}

async function isRetryWorth(gate: Gate, { ticket }: Grant, answer: Response): Promise<boolean> {
  const status = (await saysExpired(gate, answer)) ? 401 : answer.status;
  return ABOUT_CREDENTIAL.includes(status) && gate.answered(ticket, status, answer.headers.get("www-authenticate"));
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
