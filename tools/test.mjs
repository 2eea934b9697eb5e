// Runs every test, one runner after the other, and adds up what the runners report. Called by tools/test, which prepares.
// A runner that fails, reports no test, or skips one ends the run. Each runner's output is kept in target/test-logs/.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pack.mjs";

const env = process.env;
const logs = join(root, "target/test-logs");
/** A runner that hangs is ended; the slowest one takes a fraction of this. */
const LIMIT_MINUTES = 30;

/** Adds up every number that `pattern` finds. */
const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);

/** cargo and wasm-bindgen's runner print one line per test binary. */
function rustReport(text) {
  return {
    passed: sum(text, /^test result: .*?(\d+) passed/gm),
    failed: sum(text, /^test result: .*?(\d+) failed/gm),
    skipped: sum(text, /^test result: .*?(\d+) ignored/gm),
  };
}

/** The same, and that it was this browser: with several drivers at hand, the runner makes a choice of its own. */
const browserReport = (browser) => (text) => {
  const used = [...text.matchAll(/^Running headless tests in (\w+)/gm)].map(([, name]) => name);
  const other = used.find((name) => name !== browser);
  if (other) throw new Error(`the tests ran in ${other}, not in ${browser}`);
  return rustReport(text);
};

function nodeReport(text) {
  return {
    passed: sum(text, /^(?:ℹ|#) pass (\d+)/gm),
    failed: sum(text, /^(?:ℹ|#) (?:fail|cancelled) (\d+)/gm),
    skipped: sum(text, /^(?:ℹ|#) (?:skipped|todo) (\d+)/gm),
  };
}

const e2eReport = join(root, "target/e2e.json");
function playwrightReport() {
  const { stats } = JSON.parse(readFileSync(e2eReport, "utf8"));
  // A test that passed only when it was tried again has failed once.
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped };
}

/** The files named `*.test.js` or `*.test.mjs` below a folder. */
function testFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return testFiles(path);
      return /\.test\.m?js$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** The capabilities that the drivers are asked for: webdriver.json, and the browsers that setup found. */
function writeCapabilities() {
  const wanted = JSON.parse(readFileSync(join(root, "webdriver.json"), "utf8"));
  wanted["goog:chromeOptions"].binary = env.AUTHSAFE_CHROME;
  wanted["moz:firefoxOptions"].binary = env.AUTHSAFE_FIREFOX;
  const webkit = miniBrowser();
  if (webkit) wanted["webkitgtk:browserOptions"] = { binary: webkit, args: ["--automation"] };
  const path = join(root, "target/webdriver.json");
  writeFileSync(path, JSON.stringify(wanted));
  env.WASM_BINDGEN_TEST_WEBDRIVER_JSON = path;
}

/** WebKitGTK's small browser, which its driver starts: Debian keeps it beside the library, in a folder with its version. */
function miniBrowser() {
  const library = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  if (!existsSync(library)) return undefined;
  const folders = readdirSync(library).filter((name) => /^webkit(2gtk|gtk)-\d/.test(name));
  return folders.map((name) => join(library, name, "MiniBrowser")).findLast((path) => existsSync(path));
}

const inPath = (name) => env.PATH.split(":").some((folder) => existsSync(join(folder, name)));

/** What is fuzzed, over what is kept of it. It is a crate of its own, built with its own dependencies. */
const fuzzTests = "cargo test --locked --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz".split(" ");

/** The model check within small bounds, and the bugs that it must find; a crate of its own, too. */
const modelTests = "cargo test --locked --manifest-path tests/model/Cargo.toml --target-dir target/model".split(" ");

function browserTests(browser, driverOption, driver, files = ["--test", "browser_*"]) {
  const command = ["tools/wasm", "plain", "wasm-pack", "test", "--headless", `--${browser}`, driverOption, driver];
  return [...command, "--mode", "no-install", ".", "--locked", ...files];
}

/** WebKitGTK's driver in the place of Safari's, on a display of its own. */
function webkitTests() {
  const driver = join(root, "target/safaridriver");
  writeFileSync(driver, '#!/bin/sh\nexec WebKitWebDriver "$@"\n', { mode: 0o755 });
  const display = env.DISPLAY ? [] : ["xvfb-run", "-a"];
  // Where the tests run as root in a container, there are no user namespaces for its sandbox.
  const sandbox = process.getuid?.() === 0 ? ["env", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1"] : [];
  return [...sandbox, ...display, ...browserTests("safari", "--safaridriver", driver)];
}

function nodeTests(folder) {
  const files = testFiles(folder);
  // Without a file, node would look for tests everywhere.
  if (!files.length) throw new Error(`no test file in ${folder}/`);
  return ["node", "--test", "--test-reporter=spec", ...files];
}

function runners() {
  const all = [
    { name: "core", command: ["cargo", "test", "--locked", "--no-fail-fast"], report: rustReport },
    { name: "corpora", command: fuzzTests, report: rustReport },
    { name: "model", command: modelTests, report: rustReport },
    {
      name: "chromium",
      command: browserTests("chrome", "--chromedriver", env.AUTHSAFE_CHROMEDRIVER),
      report: browserReport("Chrome"),
    },
    {
      name: "firefox",
      command: browserTests("firefox", "--geckodriver", env.AUTHSAFE_GECKODRIVER),
      report: browserReport("Firefox"),
    },
    {
      // What the npm package has in a second module, and a Rust front end in its one.
      name: "rust front end",
      command: browserTests("chrome", "--chromedriver", env.AUTHSAFE_CHROMEDRIVER, [
        "--features",
        "jwt",
        "--test",
        "browser_jwt",
      ]),
      report: browserReport("Chrome"),
    },
    { name: "servers", command: nodeTests("www"), report: nodeReport },
    { name: "package", command: nodeTests("tests/package"), report: nodeReport },
    {
      name: "end-to-end",
      command: "npx --no-install playwright test -c tests/e2e/playwright.config.mjs --reporter=list,json".split(" "),
      report: playwrightReport,
    },
    { name: "theft", command: nodeTests("tests/theft"), report: nodeReport },
  ];
  if (inPath("WebKitWebDriver")) {
    all.splice(4, 0, { name: "webkit", command: webkitTests(), report: browserReport("Safari") });
  } else {
    console.log("note: no WebKitWebDriver on PATH (Debian: webkit2gtk-driver, xvfb), so nothing is tested in WebKit");
  }
  return all;
}

/** Runs a command with its output on the terminal and in a log; under CI in the log alone. */
function run({ name, command: [program, ...args] }) {
  return new Promise((resolve) => {
    const log = createWriteStream(join(logs, `${name}.log`));
    let output = "";
    // A group of its own, so that browsers and servers end with the runner.
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const stop = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const interrupted = () => (stop(), process.exit(130));
    process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
    const limit = setTimeout(
      () => (console.error(`${name}: ended after ${LIMIT_MINUTES} minutes`), stop()),
      LIMIT_MINUTES * 60_000,
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        log.write(text);
        if (!env.CI) process.stdout.write(text);
      });
    }
    const done = (fault) => {
      clearTimeout(limit);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
      stop();
      log.end(() => resolve({ fault, output }));
    };
    child.on("error", (error) => done(error.message));
    child.on("close", (code, signal) => done(code === 0 ? undefined : `ended with ${signal ?? code}`));
  });
}

rmSync(logs, { recursive: true, force: true });
rmSync(e2eReport, { force: true });
mkdirSync(logs, { recursive: true });
writeCapabilities();
for (const name of ["CHROMEDRIVER", "GECKODRIVER", "SAFARIDRIVER"]) delete env[name];
Object.assign(env, { PLAYWRIGHT_JSON_OUTPUT_NAME: e2eReport, NO_COLOR: "1", CARGO_TERM_COLOR: "never" });

let total = 0;
for (const runner of runners()) {
  console.log(`\n== tests: ${runner.name}`);
  const { fault, output } = await run(runner);
  let unread;
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = runner.report(output);
  } catch (error) {
    unread = `its report cannot be used: ${error.message}`;
  }
  const { passed, failed, skipped } = counts;
  const wrong =
    fault ?? (failed ? "tests failed" : skipped ? "tests were skipped" : passed ? undefined : "no test ran");
  console.log(`${runner.name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  if (wrong) {
    if (env.CI) console.log(output.slice(-20_000));
    console.error(`${runner.name}: ${wrong}; the whole output is target/test-logs/${runner.name}.log`);
    console.log(`${total + passed} passed, ${Math.max(failed, 1)} failed`);
    process.exit(1);
  }
  total += passed;
}
console.log(`\n${total} passed, 0 failed`);
