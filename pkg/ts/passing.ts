/** Requests and responses, taken apart for a message and put together again. Fetch standard §5.4, §5.5. */
import type { RequestPlain, ResponsePlain, ToPage, ToWorker } from "./wire.js";

/** A body that is not larger than this comes with its response; a larger one is streamed. */
export const SMALL_BODY = 65_536;

/** So much of a body may be on its way before it is read. */
const AHEAD = 262_144;

/** A request as a message, and what of it is handed over rather than copied. `given` is what its body was made from, if known. */
export async function takeApart(request: Request, given?: unknown): Promise<[RequestPlain, Transferable[]]> {
  const { url, method, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive } = request;
  const plain: RequestPlain = {
    url,
    method,
    headers: [...request.headers],
    mode,
    credentials,
    cache,
    redirect,
    // In the worker, the default would be the worker's address.
    referrer: referrer === "about:client" ? location.href : referrer,
    referrerPolicy,
    integrity,
    keepalive,
  };
  if (given instanceof ReadableStream && request.body) {
    const { body } = request;
    return [Object.assign(plain, { body, duplex: "half" }), [body as unknown as Transferable]];
  }
  if (method === "GET" || method === "HEAD" || (given == null && !(request.body ?? true))) return [plain, []];
  // What may be a file stays one: its bytes are not drawn through this thread.
  if (given == null || given instanceof Blob || given instanceof FormData) {
    const body = await request.blob();
    return [body.size ? { ...plain, body } : plain, []];
  }
  const body = await request.arrayBuffer();
  return [{ ...plain, body }, [body]];
}

/** What of a response is not its body. */
export function headOf({ status, statusText, headers, url, redirected, type }: Response): ResponsePlain {
  return { status, statusText, headers: [...headers], url, redirected, type };
}

/** Fetch standard §2.2.3, "null body status". Some browsers show an empty body with these all the same. */
const BODYLESS = [204, 205, 304];

/** A response that shows what the browser's own would. */
export function dress(head: ResponsePlain, body: ArrayBuffer | ReadableStream | null): Response {
  const { status, statusText, headers } = head;
  // Of these alone a Response can be made; 0 is a response that script may not look into.
  const possible = status >= 200 && status <= 599 && !(body && BODYLESS.includes(status));
  return show(new Response(body, { status: possible ? status : 200, statusText, headers }), head);
}

function show(response: Response, head: ResponsePlain): Response {
  const { status, url, redirected, type } = head;
  const ok = status >= 200 && status <= 299;
  const clone = () => show(Response.prototype.clone.call(response), head);
  for (const [name, value] of Object.entries({ status, ok, url, redirected, type, clone })) {
    Object.defineProperty(response, name, { value, configurable: true });
  }
  return response;
}

/** The bodies that arrive piece by piece, each piece when there is room for it. */
export interface Streams {
  open(id: number): ReadableStream<Uint8Array>;
  chunk(id: number, bytes: Uint8Array<ArrayBuffer>): void;
  end(id: number): void;
  broken(id: number, error: unknown): void;
  /** How many are open. */
  readonly size: number;
  /** All of them. */
  fail(error: unknown): void;
}

type Body = Extract<ToPage, { kind: "chunk" }>["bytes"];

// Held strongly: a browser may drop the script's side of a stream that is still being read.
interface Open {
  controller: ReadableByteStreamController;
  ready?: () => void;
}

export function streams(post: (message: ToWorker) => void): Streams {
  const open = new Map<number, Open>();
  const close = (id: number, last: (controller: ReadableByteStreamController) => void) => {
    const one = open.get(id);
    open.delete(id);
    if (one) last(one.controller);
    one?.ready?.();
  };
  return {
    get size() {
      return open.size;
    },
    open(id) {
      const bytes = "ReadableByteStreamController" in globalThis;
      const source = {
        start(controller: ReadableByteStreamController) {
          open.set(id, { controller });
        },
        pull(_: ReadableByteStreamController) {
          return new Promise<void>((ready) => {
            const one = open.get(id);
            if (!one) return ready();
            one.ready = ready;
            post({ kind: "pull", id });
          });
        },
        cancel() {
          open.delete(id);
          post({ kind: "cancel", id });
        },
      };
      const stream = bytes
        ? new ReadableStream({ ...source, type: "bytes" }, { highWaterMark: AHEAD })
        : new ReadableStream(source as unknown as UnderlyingDefaultSource<Body>, { highWaterMark: 4 });
      return stream as ReadableStream<Uint8Array>;
    },
    chunk(id, bytes) {
      const one = open.get(id);
      one?.controller.enqueue(bytes);
      one?.ready?.();
    },
    end: (id) =>
      close(id, (controller) => {
        controller.close();
        // A read that waits for bytes into its own buffer hears of the end by this alone.
        controller.byobRequest?.respond(0);
      }),
    broken: (id, error) => close(id, (controller) => controller.error(error)),
    fail(error) {
      for (const id of [...open.keys()]) this.broken(id, error);
    },
  };
}
