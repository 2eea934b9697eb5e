import { own } from "./error.js";
import type { OptionFunctions, RawUser } from "./skin.js";
import type { Claims, Logger, LogLevel, SessionConfig, TokenConfig } from "./types.js";

/** Writes a line to the application's logger. */
export type Log = (level: Exclude<LogLevel, "silent">, message: string) => void;

/** The options, taken apart: what the core reads, and what only this layer can hold. */
export interface Parts<U> {
  mode: "session" | "token";
  options: object;
  /** Without a prototype, so that an inherited property is no function of the application's. */
  functions: OptionFunctions;
  mapUser: ((raw: RawUser) => U) | undefined;
  log: Log;
}

/** The functions that each mode takes, by path. The last word is the name under which the core asks for it. */
const FUNCTIONS = {
  session: ["mapUser", "parseSession", "isSessionExpired"],
  token: ["mapUser", "firstParty.parseTokens"],
};

const LEVELS: readonly string[] = ["silent", "error", "warn", "info", "debug"] satisfies LogLevel[];

/** Deeper than any honest value, and where a value that contains itself ends. */
const MAX_DEPTH = 32;

/** Copies the options, so that neither a later change of theirs nor an inherited property counts. */
export function takeApart<U extends Claims>(config: SessionConfig<U> | TokenConfig<U>): Parts<U> {
  const { logger, ...rest } = Object.assign(Object.create(null), config) as Record<string, unknown>;
  const { mode } = rest;
  if (mode !== "session" && mode !== "token") throw invalid('`mode` must be "session" or "token".');
  const custom = (rest.storage as { kind?: unknown } | undefined)?.kind === "custom";
  const found: Record<string, unknown> = Object.create(null);
  const options = plain(rest, "", (value, path) => {
    if (typeof value === "function") {
      if (!FUNCTIONS[mode].includes(path)) throw invalid(`\`${path}\` takes no function in ${mode} mode.`);
    } else if (!custom || path !== "storage.adapter") {
      return false;
    }
    found[path.replace(/.*\./, "")] = value;
    return true;
  });
  const adapter = found.adapter as Record<string, unknown> | undefined;
  if (custom && !["get", "set", "remove"].every((method) => typeof adapter?.[method] === "function")) {
    throw invalid("`storage.adapter` must have get, set and remove.");
  }
  const mapUser = found.mapUser as Parts<U>["mapUser"];
  delete found.mapUser;
  return { mode, options, functions: found, mapUser, log: logTo(logger as Logger | LogLevel | undefined) };
}

/** A copy of the own properties of a value that must be plain JSON. `take` may keep a member out of it. */
export function plain<T>(value: T, path = "", take?: (value: unknown, path: string) => boolean, depth = 0): T {
  if (typeof value !== "object" || value === null) {
    if (/function|symbol|bigint/.test(typeof value)) throw invalid(`\`${path}\` is not plain JSON.`);
    return value;
  }
  if (depth > MAX_DEPTH) throw invalid(`\`${path}\` is nested too deeply.`);
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    const at = path && `${path}.`;
    if (member !== undefined && !take?.(member, at + name)) {
      (copy as Record<string, unknown>)[name] = plain<unknown>(member, at + name, take, depth + 1);
    }
  }
  return copy as T;
}

function logTo(logger: Logger | LogLevel = "warn"): Log {
  const most = LEVELS.indexOf(logger as LogLevel);
  if (most < 0) {
    const sink = Object(logger) as Logger;
    if (LEVELS.slice(1).every((level) => typeof sink[level as keyof Logger] === "function")) {
      return (level, message) => sink[level](message);
    }
    throw invalid(`\`logger\` must be a logger or one of ${LEVELS.join(", ")}.`);
  }
  return (level, message) => {
    if (LEVELS.indexOf(level) <= most) console[level](`authsafe: ${message}`);
  };
}

function invalid(detail: string): Error {
  return own("config_invalid", detail);
}
