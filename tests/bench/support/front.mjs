// The repository's provider in the dialect that auth0-spa-js speaks: two other paths, and an issuer that ends in a slash.
// That client does not look at the signature of an ID token, so its issuer can be spelt anew on the way.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";

const PATHS = { "/authorize": "/auth", "/oauth/token": "/token" };

export async function startFront(issuer) {
  const { port } = new URL(issuer);
  let url;
  const server = createServer((request, response) => {
    const [path, query] = request.url.split("?");
    const mapped = PATHS[path] ?? path;
    const options = { port, host: "127.0.0.1", method: request.method, headers: request.headers };
    const onward = ask({ ...options, path: query === undefined ? mapped : `${mapped}?${query}` }, async (answer) => {
      if (path !== "/oauth/token" || request.method !== "POST") {
        response.writeHead(answer.statusCode, answer.headers);
        return answer.pipe(response);
      }
      const body = JSON.parse(Buffer.concat(await answer.toArray()).toString());
      if (body.id_token) body.id_token = respelt(body.id_token, `${url}/`);
      const { "content-length": _, ...headers } = answer.headers;
      response.writeHead(answer.statusCode, headers).end(JSON.stringify(body));
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://localhost:${server.address().port}`;
  return { url, close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())) };
}

function respelt(token, iss) {
  const [header, payload, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), iss };
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}
