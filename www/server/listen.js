/** Ports and sockets: find a free port, serve on it, stop and come back on the same one. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

/** Everything of the demo listens here only; the addresses it prints say `localhost`, which browsers resolve to it. */
const LOOPBACK = "127.0.0.1";
/** What is being answered while the server closes has this long to finish. */
const CLOSE_GRACE_MS = 500;
/**
 * Below what systems hand out to outgoing connections and to port 0 (Linux from 32,768, others from 49,152), so that a
 * server that is stopped finds its port again.
 */
const PORTS = { first: 15_000, count: 17_000 };
/** Servers of `reservePort` that wait for their handler, by port. */
const reserved = new Map();

/**
 * Serves `handler` on a loopback port.
 * @param {import("node:http").RequestListener} handler
 * @param {{port?: number}} [options] `0` lets the system choose.
 * @returns {Promise<{url: string, port: number, stop(): Promise<void>, restart(): Promise<void>, close(): Promise<void>}>}
 *   `stop` cuts everything off as a crash does; `restart` listens again on the same port; `close` is the orderly end.
 */
export async function listen(handler, { port = 0 } = {}) {
  const bound = port || (await reservePort());
  const server = reserved.get(bound) ?? createServer();
  reserved.delete(bound);
  server.ref().on("request", handler);
  const bind = async () => {
    server.listen(bound, LOOPBACK);
    await once(server, "listening");
  };
  if (!server.listening) await bind();

  /** Ends every connection after so long at the latest: kept-alive and slow ones would hold the server open. */
  const shut = async (graceMs) => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  };
  const stop = () => shut(0);
  const close = () => shut(CLOSE_GRACE_MS);
  const restart = async () => {
    if (!server.listening) await bind();
  };
  return { url: `http://localhost:${bound}`, port: bound, stop, restart, close };
}

/**
 * Whether nothing listens on this port, on either loopback address: `localhost` may mean both, and a browser that reached
 * a stranger's server on the other one would be a confusing demo.
 */
export async function isFree(port) {
  return (await canBind(port, LOOPBACK)) && (await canBind(port, "::1"));
}

/** A port that is free now, for another process; a server of this one takes `reservePort`. */
export async function freePort() {
  const port = await reservePort();
  await closed(reserved.get(port));
  reserved.delete(port);
  return port;
}

/** A port that nobody else gets until `listen` is called with it. */
export async function reservePort() {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    const server = createServer();
    if ((await canBind(port, "::1")) && (await tryToListen(server, { port, host: LOOPBACK })) && server.listening) {
      // A start that fails before its turn must not keep the process alive.
      reserved.set(port, server.unref());
      return port;
    }
  }
}

async function canBind(port, host) {
  const probe = createTcpServer();
  const possible = await tryToListen(probe, { port, host, exclusive: true });
  if (probe.listening) await closed(probe);
  return possible;
}

/** Whether the place is to be had. On a machine without IPv6 nothing listens there either. */
async function tryToListen(server, place) {
  server.listen(place);
  try {
    await once(server, "listening");
    return true;
  } catch (error) {
    return error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT";
  }
}

async function closed(server) {
  const end = once(server, "close");
  server.close();
  await end;
}
