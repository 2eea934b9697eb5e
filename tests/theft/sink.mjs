// Where the attackers send what they got: a server on another origin and another site that lets everybody in and keeps all.
import { createServer } from "node:http";
import { once } from "node:events";

export async function startSink() {
  /** `{ attack, loot }`. A request that names no attack in its path is kept under the path itself. */
  const received = [];
  const server = createServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader(
      "access-control-allow-headers",
      "authorization, content-type, dpop, x-csrf-token, x-requested-with",
    );
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url === "/batch") {
      for (const [attack, loot] of JSON.parse(body)) received.push({ attack, loot });
    } else {
      const { pathname } = new URL(request.url, "http://sink");
      const attack = decodeURIComponent(/^\/steal\/([^/]+)/.exec(pathname)?.[1] ?? pathname);
      received.push({ attack, loot: `${request.url}\n${JSON.stringify(request.headers)}\n${body.toString("latin1")}` });
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return {
    // Another site than `localhost`, where the victims are.
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** An API that the application trusts, and that says back what it was told. T22. */
export async function startEcho() {
  const server = createServer((request, response) => {
    const { origin, authorization = "" } = request.headers;
    response.setHeader("access-control-allow-origin", origin ?? "*");
    response.setHeader("access-control-allow-headers", "authorization, content-type, dpop");
    response.setHeader("access-control-expose-headers", "*, x-echo");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    const spelt = {
      "/plain": authorization,
      "/base64": Buffer.from(authorization).toString("base64"),
      "/url": encodeURIComponent(authorization.replaceAll(".", " ")),
      "/backwards": [...authorization].reverse().join(""),
    };
    const { pathname } = new URL(request.url, "http://echo");
    if (pathname === "/header") response.setHeader("x-echo", authorization);
    response.writeHead(200, { "content-type": "text/plain" }).end(spelt[pathname] ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://localhost:${server.address().port}`, close };
}
