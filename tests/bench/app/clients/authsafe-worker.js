import { startAuthsafe } from "./authsafe.js";

export const start = (config) => startAuthsafe(config, { isolation: "required" });
