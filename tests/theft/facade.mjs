// The provider as auth0-spa-js expects one: other paths, and an issuer that ends in a slash. What it mints is the provider's.
import { once } from "node:events";
import { createServer } from "node:http";

/** @param {() => string} issuerOf The provider, which may start later. */
export async function startFacade(issuerOf) {
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, "http://facade");
    if (pathname === "/authorize") return response.writeHead(302, { location: `${issuerOf()}/auth${search}` }).end();
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("access-control-allow-headers", "content-type, auth0-client");
    if (request.method === "OPTIONS" || pathname !== "/oauth/token") return response.writeHead(204).end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = { "content-type": request.headers["content-type"], origin: request.headers.origin };
    const answer = await fetch(`${issuerOf()}/token`, { method: "POST", headers, body: Buffer.concat(chunks) });
    const tokens = await answer.json();
    if (tokens.id_token) tokens.id_token = issuedBy(`${url}/`, tokens.id_token);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(tokens));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://localhost:${server.address().port}`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, close };
}

/** auth0-spa-js trusts the channel (OIDC Core §3.1.3.7 rule 6) and does not look at the signature. */
function issuedBy(iss, token) {
  const [head, body, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  return [head, Buffer.from(JSON.stringify({ ...claims, iss })).toString("base64url"), signature].join(".");
}
