// A slow line: a TCP proxy in front of servers of this machine. Whoever asks is slowed alike, a page and its worker; what
// Network.emulateNetworkConditions of DevTools slows is one target. TCP's slow start is not modelled.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** About what fits in one packet. */
const PACKET = 1448;

/** One line with this round trip and this many bits a second in each direction. What goes through it shares them. */
export function makeLine({ roundTripMs, bitsPerSecond }) {
  const oneWayMs = roundTripMs / 2;
  const directions = { up: { freeAt: 0 }, down: { freeAt: 0 } };
  const servers = [];
  const sockets = new Set();

  /** Carries what comes from `from` to `to`, from the instant `openAt` on. */
  function carry(from, to, direction, openAt) {
    const queue = [];
    let timer;
    const pump = () => {
      timer = undefined;
      while (queue.length && queue[0].at <= performance.now()) {
        const { bytes } = queue.shift();
        if (bytes) to.write(bytes);
        else to.end();
      }
      if (queue.length) timer = setTimeout(pump, queue[0].at - performance.now());
    };
    const enqueue = (at, bytes) => {
      queue.push({ at, bytes });
      timer ??= setTimeout(pump, at - performance.now());
    };
    from.on("data", (bytes) => {
      for (let start = 0; start < bytes.length; start += PACKET) {
        const packet = bytes.subarray(start, start + PACKET);
        const begins = Math.max(performance.now(), direction.freeAt, openAt);
        direction.freeAt = begins + (packet.length * 8000) / bitsPerSecond;
        enqueue(direction.freeAt + oneWayMs, packet);
      }
    });
    from.on("end", () => enqueue(Math.max(performance.now(), direction.freeAt, openAt) + oneWayMs));
    from.on("close", () => {
      clearTimeout(timer);
      to.destroy();
    });
    from.on("error", () => {});
  }

  return {
    oneWayMs,
    /** A port that leads to `port` through this line. */
    async listen(port) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
        for (const one of [socket, upstream]) {
          sockets.add(one);
          one.on("close", () => sockets.delete(one));
        }
        // The handshake of TCP takes one round trip before anything can be said; here the browser's is over at once.
        carry(socket, upstream, directions.up, performance.now() + roundTripMs);
        carry(upstream, socket, directions.down, 0);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      servers.push(server);
      return server.address().port;
    },
    connections: () => sockets.size,
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      this.hangUp();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
