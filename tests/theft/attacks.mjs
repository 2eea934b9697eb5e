// Which attacks run when. One visit sets all hooks at once: each hears with functions that it took before the others came.
import { attackNames } from "./script.mjs";

const { hooks, reads, acts, rivals, traps } = attackNames;
/** The client is used up by these, or they leave something behind: last, and in this order. */
const LAST = [
  "T16 public methods of the client",
  "T13 import the client's files again",
  "T50 a second client on the page",
  "T18 silent sign-in in a frame",
  "T19 silent sign-in in a popup",
];
const inOrder = [...acts.filter((name) => !LAST.includes(name)), ...LAST];
const afterwards = [
  "A23 requests through the client",
  "T16 public methods of the client",
  "T13 import the client's files again",
];

/**
 * `pre`: the attacker's script runs before the client's. `post`: after the client is loaded, before anybody signs in; both on
 * every page of the visit. `late`: when somebody is signed in. `reload`: as `post`, on the next visit of somebody who was
 * signed in. `after-logout`: when they have signed out.
 */
export const TIMINGS = ["pre", "post", "late", "reload", "after-logout"];

/** The visits that a configuration gets: `{ timing, hooks, traps, runs }`. */
export function visitsOf(one) {
  const own = one.sdk === "authsafe" || one.sdk === "leaky";
  const applying = inOrder.filter((name) => applies(one, name));
  const visits = [
    { timing: "pre", hooks, traps: [], runs: reads },
    { timing: "post", hooks, traps: [], runs: reads },
    { timing: "late", hooks, traps: [], runs: [...reads, ...applying] },
    {
      timing: "reload",
      hooks,
      traps: [],
      runs: [...reads, ...applying.filter((name) => !/^T(18|19|20|21|22)/.test(name))],
    },
    { timing: "after-logout", hooks, traps: [], runs: [...reads, ...afterwards] },
  ];
  for (const trap of traps) {
    if (/^T(12|25)/.test(trap) && one.kind !== "oidc") continue;
    // Where the code comes back in a frame, there is no callback page to be first on.
    if (trap.startsWith("T25") && one.inFrame) continue;
    if (/^T(15 messages|43)/.test(trap) && !own) continue;
    for (const timing of timingsOf(trap)) visits.push({ timing, hooks: [], traps: [trap], runs: [] });
  }
  if (own && one.kind !== "session") {
    for (const rival of rivals) visits.push({ timing: "late", hooks: [], traps: [], runs: [rival] });
  }
  return visits;
}

/** Without a provider there is nobody to ask for a code; and second clients of authsafe are attacks of their own. */
function applies(one, name) {
  if (/^T(18|19)/.test(name)) return one.kind === "oidc";
  return one.sdk !== "authsafe" || name !== "T50 a second client on the page";
}

function timingsOf(trap) {
  if (trap.startsWith("T51")) return ["late", "reload"];
  return /^T(25|15 Worker)/.test(trap) ? ["pre"] : ["pre", "post"];
}

/** A smaller round for the ordinary tests: the same visits, with what takes long left out. */
export const quickVisitsOf = (one) =>
  visitsOf(one).filter(({ timing, hooks }) => hooks.length > 0 && timing !== "after-logout");
