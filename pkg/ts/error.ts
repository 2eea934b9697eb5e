import { OWN_ERRORS, type AuthErrorCode, type ErrorPhase, type ErrorRecovery } from "./generated/errors.js";

/** An authorization server's error response (RFC 6749 §5.2), cut to printable ASCII. */
export interface OAuthErrorResponse {
  /** The registered code, such as `invalid_grant`. */
  error: string;
  /** The server's own words, for a developer. */
  error_description?: string;
  /** A page about it. */
  error_uri?: string;
}

/** What an `AuthError` is made of, as plain JSON. This is also how the core hands it over. */
export type AuthErrorFields = Pick<AuthError, "message" | (typeof FIELDS)[number]>;

/** The fields besides the message. Only these are ever copied, whatever else is on the object. */
const FIELDS = ["code", "phase", "retryable", "recovery", "hint", "status", "retryAfterSeconds", "oauth"] as const;

/** @internal */
export type OwnErrorCode = keyof typeof OWN_ERRORS;

// Registered, so that two copies of authsafe in one page recognise each other's errors.
const BRAND = Symbol.for("authsafe.AuthError");

/**
 * Every failure of authsafe, and the only class it rejects with. No token, code, verifier, password or claim is in any of
 * its fields; `cause`, where there is one, is the application's or the browser's own error.
 */
export class AuthError extends Error {
  /** What happened. Codes are stable: write programs against this and not against `message`. */
  declare readonly code: AuthErrorCode;
  /** During what it happened. */
  declare readonly phase: ErrorPhase;
  /** Whether the same call may succeed later. */
  declare readonly retryable: boolean;
  /** What helps. */
  declare readonly recovery: ErrorRecovery;
  /** The remedy, in a sentence for a developer. */
  declare readonly hint?: string;
  /** The HTTP status, where an answer is the cause. */
  declare readonly status?: number;
  /** How long the server asks to wait. */
  declare readonly retryAfterSeconds?: number;
  /** The server's error response. */
  declare readonly oauth?: OAuthErrorResponse;

  constructor(fields: AuthErrorFields, cause?: unknown) {
    super(fields.message, cause === undefined ? undefined : { cause });
    copy(fields, this);
  }

  /** Always `"AuthError"`, also where a minifier renamed the class. */
  override get name(): string {
    return "AuthError";
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /** The fields as plain JSON, safe for an error tracker. `stack` and `cause` are left out. */
  toJSON(): AuthErrorFields {
    return copy(this, { message: this.message }) as AuthErrorFields;
  }

  /** Whether `error` is an `AuthError`, of this `code` if one is given. Unlike `instanceof`, also across duplicated bundles. */
  static is(error: unknown, code?: AuthErrorCode): error is AuthError {
    return (
      typeof error === "object" && error !== null && BRAND in error && (!code || (error as AuthError).code === code)
    );
  }
}

function copy<T extends object>(from: AuthErrorFields | AuthError, to: T): T {
  for (const name of FIELDS) if (from[name] !== undefined) (to as Record<string, unknown>)[name] = from[name];
  return to;
}

/**
 * An error that this layer finds by itself, before or beside the core.
 *
 * @internal
 */
export function own(code: OwnErrorCode, detail = "", cause?: unknown): AuthError {
  const [phase, recovery, what, hint] = OWN_ERRORS[code];
  const message = detail ? `${what} ${detail}` : what;
  return new AuthError({ code, phase, retryable: recovery === "retry", recovery, message, hint }, cause);
}

/**
 * Whatever the core threw, as an `AuthError`. What is no error of its own is an internal fault.
 *
 * @internal
 */
export function wrap(thrown: unknown): AuthError {
  if (AuthError.is(thrown)) return thrown;
  const fields = thrown as Partial<AuthErrorFields> | undefined;
  return fields?.code && fields.phase ? new AuthError(fields as AuthErrorFields) : own("wasm_trapped", "", thrown);
}

/**
 * Reports an error of a listener as the browser reports any other uncaught one, without stopping the caller.
 *
 * @internal
 */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
