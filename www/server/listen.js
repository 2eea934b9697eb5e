/** Ports and sockets: find a free port, serve on it, stop and come back on the same one. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

/** Everything of the demo listens here only; the addresses it prints say `localhost`, which browsers resolve to it. */
const LOOPBACK = "127.0.0.1";
/** What is being answered while the server closes has this long to finish. */
const CLOSE_GRACE_MS = 500;

/**
 * Serves `handler` on a loopback port.
 * @param {import("node:http").RequestListener} handler
 * @param {{port?: number}} [options] `0` lets the system choose.
 * @returns {Promise<{url: string, port: number, stop(): Promise<void>, restart(): Promise<void>, close(): Promise<void>}>}
 *   `stop` cuts everything off as a crash does; `restart` listens again on the same port; `close` is the orderly end.
 */
export async function listen(handler, { port = 0 } = {}) {
  const server = createServer(handler);
  const bind = async (wanted) => {
    server.listen(wanted, LOOPBACK);
    await once(server, "listening");
  };
  await bind(port);
  const bound = server.address().port;

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
    if (!server.listening) await bind(bound);
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

/** A port that is free now. `avoid` are ports already promised to another server of the same start. */
export async function freePort(avoid = []) {
  for (;;) {
    const probe = createTcpServer();
    probe.listen(0, LOOPBACK);
    await once(probe, "listening");
    const { port } = probe.address();
    const closed = once(probe, "close");
    probe.close();
    await closed;
    if (!avoid.includes(port) && (await isFree(port))) return port;
  }
}

async function canBind(port, host) {
  const probe = createTcpServer();
  probe.listen({ port, host, exclusive: true });
  try {
    await once(probe, "listening");
  } catch (error) {
    // A machine without IPv6 has nothing listening there either.
    return error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT";
  }
  const closed = once(probe, "close");
  probe.close();
  await closed;
  return true;
}
