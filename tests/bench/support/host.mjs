// Serves the built pages as a production host does: HTTP/2, brotli made beforehand, everything but the HTML immutable.
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { built } from "./clients.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** `configFor(name, origin)` is what the page of that client is told. */
export async function startHost(folder, configFor) {
  const files = read(folder);
  const { key, cert, spki } = certificate();
  /** What was asked for since it was last emptied: `{ path, at }`, in epoch milliseconds. */
  const log = [];
  const sockets = new Set();
  const server = createSecureServer({ key, cert, allowHTTP1: false }, (request, response) => {
    const entry = { path: request.url.replace(/\?.*/, ""), at: performance.timeOrigin + performance.now() };
    log.push(entry);
    // Where a renderer process is started that the measured page then finds.
    if (entry.path === "/blank") return html(response, "<!doctype html><title>blank</title>");
    const page = /^\/([\w-]+)\/$/.exec(entry.path)?.[1];
    if (page && files.has(`/${page}/index.html`)) {
      const config = JSON.stringify(configFor(page, `https://${request.authority}`));
      const text = files.get(`/${page}/index.html`).raw.toString();
      const told = text.replace("<!-- config -->", `<script>window.config = ${config};</script>`);
      // After the script, which is needed first.
      return html(response, told.replace("</head>", `${preloads(page, files)}</head>`));
    }
    const file = files.get(entry.path);
    if (!file) return response.writeHead(404, { "content-type": "text/plain" }).end("nothing");
    const [, urgency = "3"] = /\bu=(\d)/.exec(request.headers.priority) ?? [];
    turns(request.stream.session)(Number(urgency), response, () => {
      response.writeHead(200, {
        "content-type": file.type,
        "content-encoding": "br",
        "content-length": file.brotli.length,
        "cache-control": "public, max-age=31536000, immutable",
      });
      response.end(file.brotli);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // A browser that leaves is no failure.
  server.on("session", (session) => session.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    spki,
    log,
    /** The bytes that a page may load, as they are sent. */
    sizes: (name) =>
      [...files]
        .filter(([path]) => path.startsWith(`/${name}/assets/`))
        .map(([path, { brotli }]) => [path, brotli.length]),
    connections: () => sockets.size,
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      const closed = new Promise((resolve) => server.close(resolve));
      this.hangUp();
      return closed;
    },
  };
}

/** The lines of README.md that start downloads with the HTML. */
function preloads(page, files) {
  const { preload = [] } = built.find((client) => client.page === page);
  const lines = {
    worker: (path) => `<link rel="modulepreload" href="${path}" as="worker" />`,
    wasm: (path) => `<link rel="preload" href="${path}" as="fetch" type="application/wasm" crossorigin />`,
  };
  const pattern = { worker: /\/worker-[\w-]+\.js$/, wasm: /\.wasm$/ };
  const all = [...files.keys()].filter((path) => path.startsWith(`/${page}/`));
  return preload.map((kind) => lines[kind](all.find((path) => pattern[kind].test(path)))).join("");
}

const queues = new WeakMap();

/**
 * One answer after the other on each connection, the most urgent first (RFC 9218). Node sends the end of an answer apart from
 * its last bytes; side by side with a larger one, a small one would end with that.
 */
function turns(session) {
  if (!queues.has(session)) queues.set(session, { waiting: [], busy: false });
  const queue = queues.get(session);
  const next = () => {
    if (queue.busy || !queue.waiting.length) return;
    queue.waiting.sort((a, b) => a.urgency - b.urgency);
    const { response, send } = queue.waiting.shift();
    queue.busy = true;
    response.once("close", () => {
      queue.busy = false;
      next();
    });
    send();
  };
  return (urgency, response, send) => {
    queue.waiting.push({ urgency, response, send });
    // What was asked for in the same packet is seen first.
    setImmediate(next);
  };
}

function html(response, text) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" }).end(text);
}

function read(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const raw = readFileSync(path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    files.set(path.slice(folder.length), {
      raw,
      brotli: brotliCompressSync(raw, { params }),
      type: TYPES[extname(path)] ?? "application/octet-stream",
    });
  }
  return files;
}

/** A key for this run. Browsers keep nothing in their cache that came with a certificate they object to; see `spki`. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), "authsafe-bench-"));
  try {
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const args = ["req", "-x509", "-days", "2", ...curve, ...name, "-keyout", key, "-out", cert];
    execFileSync("openssl", args, { stdio: "pipe" });
    const pem = readFileSync(cert);
    const der = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
    return { key: readFileSync(key), cert: pem, spki: createHash("sha256").update(der).digest("base64") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
