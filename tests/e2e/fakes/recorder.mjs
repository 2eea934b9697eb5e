// A server that lets every page in and keeps what it was sent: to see which requests carry a credential.
import { once } from "node:events";
import { createServer } from "node:http";

export async function startRecorder() {
  const requests = [];
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("access-control-allow-headers", "authorization, content-type, dpop, x-csrf-token");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    const { authorization, ...headers } = request.headers;
    requests.push({ url: request.url, host: headers.host, authorization, headers });
    response.writeHead(200, { "content-type": "application/json" });
    // A body that goes on for as long as somebody listens.
    if (request.url === "/endless") return response.write("[");
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://localhost:${port}`, port, requests, close };
}
