// The same, with tokens in memory: the refresh token in its worker.
import { startAuth0 } from "./auth0-spa-js.js";

export const start = (config) => startAuth0(config, "memory");
