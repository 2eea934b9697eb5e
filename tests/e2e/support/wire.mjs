// What every server of this process was asked and answered, whoever wrote it: read from Node's own HTTP, so that no server
// has to tell. All servers of a test run in its process, one test at a time.
import { subscribe } from "node:diagnostics_channel";

/** More of a body than this is of no interest here. */
const LIMIT = 64 * 1024;
let exchanges = [];

subscribe("http.server.request.start", ({ request, response }) => {
  const { method, url, headers } = request;
  const [sent, answered] = [collect(request, ["push"]), collect(response, ["write", "end"])];
  const exchange = { at: Date.now(), until: Infinity, method, url, host: headers.host, headers, body: "", answer: "" };
  exchanges.push(exchange);
  // It comes after the last byte, and also where the browser has gone before it.
  response.once("close", () => {
    exchange.until = Date.now();
    const cookies = [response.getHeader("set-cookie") ?? []].flat();
    const { statusCode: status, writableFinished: finished } = response;
    Object.assign(exchange, { status, finished, location: response.getHeader("location"), cookies });
    Object.assign(exchange, { body: sent(), answer: answered() });
  });
});

/** Keeps what passes through these methods of a stream. Listening instead would take it from whoever reads later. */
function collect(stream, methods) {
  const chunks = [];
  let size = 0;
  for (const method of methods) {
    const real = stream[method];
    stream[method] = function (chunk, ...rest) {
      if ((typeof chunk === "string" || chunk instanceof Uint8Array) && size < LIMIT) {
        chunks.push(Buffer.from(chunk));
        size += chunk.length;
      }
      return real.call(this, chunk, ...rest);
    };
  }
  return () => Buffer.concat(chunks).subarray(0, LIMIT).toString();
}

/** Forgets what was before, and gives what is to come. */
export function listen() {
  return (exchanges = []);
}
