/**
 * The victim: loads the client that `window.victim` names, starts it, and does with it what the harness asks. The client and
 * its options lie where script can reach them, as in many applications; nothing secret does.
 */
const { sdk, options, config } = window.victim;
const { load, start } = await import(`/theft/sdks/${sdk}.js`);
await load?.(options, config);
// An attacker of the timing "post" comes here: the client is loaded, and nobody is signed in.
window.afterLoad?.();
window.app = await start(options, config);
window.ready = true;
