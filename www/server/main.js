#!/usr/bin/env node
/** Starts the whole demo and prints where it is. Ctrl-C ends it. */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isFree, reservePort } from "./listen.js";
import { APPLICATION } from "./page.js";
import { startStack } from "./stack.js";
import { demoUsers } from "./users.js";

const HELP = `Usage: node server/main.js [options]

  --port N                  the page's port (9402); the provider and the API use the two below it
  --access-token-seconds N  how long an access token lives (120)
  --idle-seconds N          how long a session lives that is not extended (120)
  --absolute-seconds N      how long any session lives (900)
  --quiet                   print the address and nothing else
  --help                    print this

Each is also read from the environment: AUTHSAFE_DEMO_PORT, AUTHSAFE_DEMO_ACCESS_TOKEN_SECONDS and so on.
`;

/** Where else the page's port is looked for: so many times, so far apart. */
const ATTEMPTS = 5;
const STEP = 10;
/** How often the servers are started where another process was faster to take a port that was free a moment before. */
const STARTS = 5;

const settings = readSettings();
if (settings.help) {
  process.stdout.write(HELP);
} else {
  await run(settings);
}

async function run({ port, accessTokenSeconds, idleSeconds, absoluteSeconds, quiet }) {
  let starting;
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    if (!quiet) console.log("\nStopping the demo.");
    // What has only half started can be closed once it has started.
    const stack = await starting?.catch(() => undefined);
    await stack?.close();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);

  let chosen;
  let stack;
  for (let starts = 1; !stack; starts++) {
    chosen = await choosePorts(port);
    if (ending) return;
    if (chosen.running) {
      console.log(`The authsafe demo is running already: ${chosen.running}`);
      return;
    }
    starting = startStack({
      ports: chosen.ports,
      provider: { accessTokenSeconds },
      firstParty: { accessTokenSeconds },
      session: { idleSeconds, absoluteSeconds },
    });
    try {
      stack = await starting;
    } catch (error) {
      if (error.code !== "EADDRINUSE" || starts === STARTS) throw error;
      // Most likely a second demo that was started at the same moment. By then it is up, and is recognised.
      await moment();
    }
  }
  if (ending) return;
  if (!quiet) {
    for (const notice of chosen.notices) console.log(notice);
    console.log(`OpenID provider   ${stack.provider.url}`);
    console.log(`protected API     ${stack.api.url}`);
    console.log(
      `sign in as        ${demoUsers.map(({ username, password }) => `${username} / ${password}`).join("  or  ")}`,
    );
    console.log("Ctrl-C stops it.\n");
  }
  console.log(`The authsafe demo is at ${stack.page.url}/`);
}

/**
 * The usual ports, or near ones where something else has them.
 * @returns {Promise<{running: string} | {ports: object, notices: string[]}>} `running`: the demo is there already.
 */
async function choosePorts(first) {
  const notices = [];
  let page;
  for (let candidate = first; candidate < first + ATTEMPTS * STEP && !page; candidate += STEP) {
    let found = await look(candidate);
    if (found === "taken") {
      // A demo that looks for its own ports holds each for an instant, and one that starts does not answer yet.
      await moment();
      found = await look(candidate);
    }
    if (found === "demo") return { running: `http://localhost:${candidate}/` };
    if (found === "free") page = candidate;
    else notices.push(`Port ${candidate} is taken by something else; trying another for the page.`);
  }
  page ??= await reservePort();
  const ports = { page };
  for (const [name, wanted] of [
    ["provider", page - 2],
    ["api", page - 1],
  ]) {
    const taken = Object.values(ports);
    ports[name] = !taken.includes(wanted) && (await isFree(wanted)) ? wanted : await reservePort();
    if (ports[name] !== wanted) notices.push(`Port ${wanted} is taken; the ${name} uses ${ports[name]}.`);
  }
  return { ports, notices };
}

async function look(port) {
  if (await isFree(port)) return "free";
  return (await isDemo(port)) ? "demo" : "taken";
}

/** Of a length that two processes do not share, so that they do not meet again. */
function moment() {
  return pause(200 + Math.random() * 800);
}

/** Whether what listens on this port is this demo. Bounded: a stranger may accept a connection and never answer. */
async function isDemo(port) {
  try {
    const response = await fetch(`http://localhost:${port}/config.json`, { signal: AbortSignal.timeout(2000) });
    return (await response.json()).application === APPLICATION;
  } catch {
    return false;
  }
}

function readSettings() {
  const names = ["port", "access-token-seconds", "idle-seconds", "absolute-seconds"];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, quiet: { type: "boolean" }, help: { type: "boolean" } } }));
  } catch (error) {
    fail(error.message);
  }
  const number = (name, { min, max }, fallback) => {
    const variable = `AUTHSAFE_DEMO_${name.toUpperCase().replaceAll("-", "_")}`;
    const text = values[name] ?? process.env[variable];
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      fail(`--${name} (or ${variable}) must be a whole number from ${min} to ${max}, not "${text}"`);
    }
    return value;
  };
  const duration = { min: 1, max: 30 * 24 * 3600 };
  return {
    help: values.help,
    quiet: values.quiet ?? ["1", "true"].includes(process.env.AUTHSAFE_DEMO_QUIET ?? ""),
    port: number("port", { min: 1024, max: 65_000 }, 9402),
    accessTokenSeconds: number("access-token-seconds", duration),
    idleSeconds: number("idle-seconds", duration),
    absoluteSeconds: number("absolute-seconds", duration),
  };
}

function fail(message) {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}
