// The moments of a renewal at which a test steps in.

/** The page that the next token request comes from, be it from its worker. */
export function nextRenewer(context, { config }) {
  return context
    .waitForEvent("request", (request) => request.method() === "POST" && request.url() === `${config.issuer}/token`)
    .then((request) => request.frame().page());
}

/**
 * Has `work` done at a point of the next renewal, which goes on afterwards. The points are `request`, before it leaves the
 * browser, `cut`, where it then never leaves, and `answer`, when the provider has rotated the token and has not answered yet.
 *
 * @returns {Promise<{met: Promise<unknown>}>} `met` is what `work` gave back; to be asked for once the renewal has begun.
 */
export async function meetRenewal(point, { context, servers }, work) {
  let once;
  const met = new Promise((resolve, reject) => {
    once = () => Promise.resolve().then(work).then(resolve, reject);
  });
  if (point === "answer") {
    servers.hooks.onTokenRequest = () => {
      delete servers.hooks.onTokenRequest;
      return once();
    };
    return { met };
  }
  const address = `${servers.config.issuer}/token`;
  let first = true;
  const meet = async (route) => {
    if (!first || route.request().method() !== "POST") return route.continue();
    first = false;
    await once();
    // Whose tab is gone, its request is, too.
    await (point === "cut" ? route.abort() : route.continue()).catch(() => {});
    // Not before: without a handler, the browser would let go what is held.
    await context.unroute(address, meet);
  };
  await context.route(address, meet);
  return { met };
}
