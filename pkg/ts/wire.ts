/**
 * What passes between the page and the vault worker. No message to the page carries a key, nor a refresh token or a verifier
 * that is not sealed (a verifier is plain where the browser keeps no keys), and an access token only where the application asked
 * for it (`exposeAccessToken`). What is in neither union is not heard.
 */
import type { AuthErrorFields } from "./error.js";
import type { Calls, InitPlain, LoadFault, StatePlain } from "./skin.js";
import type { AuthEvents } from "./types.js";

/** From the page to the worker. */
export type ToWorker =
  | { kind: "open"; build: string; wasm: WasmGiven; jwt: string; options: object; href: string; framed: boolean }
  | { kind: "call"; id: number; name: CallName; argument?: unknown }
  | { kind: "fetch"; id: number; request: RequestPlain }
  | { kind: "abort" | "pull" | "cancel"; id: number }
  | { kind: "answer"; id: number; value?: unknown; fault?: unknown }
  /** An event of the page, and how visible it is. */
  | { kind: "page"; news: string; seen: DocumentVisibilityState }
  | { kind: "ping" };

/** From the worker to the page. */
export type ToPage =
  /** The core is there. `origins` are the only ones whose requests need it. */
  | { kind: "opened"; origins: readonly string[] }
  | { kind: "closed"; fault: LoadFault | AuthErrorFields }
  | { kind: "result"; id: number; value: unknown }
  | { kind: "failed"; id: number; error: unknown }
  | { kind: "response"; id: number; head: ResponsePlain; body: ArrayBuffer | "streamed" | null }
  | { kind: "chunk"; id: number; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "end"; id: number }
  | { kind: "state"; state: StatePlain }
  | { kind: "event"; name: keyof AuthEvents; detail: object }
  | { kind: "ask"; id: number; service: Service }
  | { kind: "trap"; fault: unknown }
  | { kind: "pong" };

/** An address, which the worker fetches; or what the application gave. */
export type WasmGiven = string | WebAssembly.Module | BufferSource;

/** The calls that take at most one argument; `fetch` is a message of its own. */
export type CallName = Exclude<keyof Calls, "fetch" | "snapshot" | "dispose">;

/** What `init` answers in the worker: what it found, and the state that follows from it. */
export type Opened = InitPlain & { state: StatePlain };

/** What a worker cannot do by itself: whose method, which, and its arguments. */
export type Service =
  | [place: "page", method: "replaceUrl" | "navigate", url: string]
  | [place: "cookies", method: "get"]
  | [place: "cookies", method: "set", cookie: string]
  | [place: Area, method: "get" | "remove", key: string]
  | [place: Area, method: "set", key: string, text: string];

/** A medium that only the page can reach. */
export type Area = "sessionStorage" | "localStorage" | "adapter";

/** A request, by the members of `RequestInit` that a `Request` shows. */
export interface RequestPlain extends Omit<RequestInit, "signal" | "window" | "headers"> {
  url: string;
  headers: [name: string, value: string][];
}

/** What of a response is not its body. */
export interface ResponsePlain {
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  url: string;
  redirected: boolean;
  type: ResponseType;
}
