// tools/setup on a machine that is made up: its compiler, cargo, rustup and npm are scripts that say what they were asked.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const tools = fileURLToPath(new URL("../../tools/", import.meta.url));

const RUSTC = `
case "$*" in
  "--print sysroot") echo "$MACHINE/sysroot" ;;
  -vV) printf 'commit-hash: 0123456789\\nrelease: 1.2.3\\n' ;;
  *) echo "rustc 1.2.3" ;;
esac`;

// A build begins when there are as many of them as the test wants at once, and fails where another has been in its folder.
const CARGO = `
case $1 in
  fmt | clippy) exec test -e "$MACHINE/has-$1" ;;
esac
echo "cargo $1 $2" >>"$MACHINE/calls"
mkdir -p "$CARGO_TARGET_DIR"
echo $$ >"$CARGO_TARGET_DIR/mine"
meeting=$MACHINE/meeting-$1-$2
mkdir -p "$meeting"
touch "$meeting/$$"
tries=0
while [ "$(ls "$meeting" | wc -l)" -lt "$AT_ONCE" ] && [ $tries -lt 200 ]; do sleep 0.1; tries=$((tries + 1)); done
case $1 in
  install)
    [ ! -e "$MACHINE/breaks" ] || { echo "it does not compile"; exit 1; }
    while [ "$1" != --root ]; do shift; done
    mkdir -p "$2/bin"
    for tool in wasm-bindgen wasm-pack; do printf '#!/bin/sh\\n' >"$2/bin/$tool" && chmod +x "$2/bin/$tool"; done
    ;;
  build)
    deps=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/deps
    mkdir -p "$deps"
    touch "$deps/libstd-1.rlib"
    ;;
esac
[ "$(cat "$CARGO_TARGET_DIR/mine")" = $$ ]`;

const RUSTUP = `
echo "rustup $*" >>"$MACHINE/calls"
[ ! -e "$MACHINE/refuses" ] || { echo "error: could not download"; exit 1; }
touch "$MACHINE/has-fmt" "$MACHINE/has-clippy"`;

const NPM = `mkdir -p node_modules`;

/** A machine with the standard library for the browser and its source, and the given marks; `setup` runs in a new clone. */
function machine(t, ...marks) {
  const folder = mkdtempSync(join(tmpdir(), "authsafe-setup-"));
  // A process of an interrupted setup may still write its last file.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const rustlib = join(folder, "sysroot/lib/rustlib");
  for (const path of ["bin", "sysroot/bin", "home"]) mkdirSync(join(folder, path), { recursive: true });
  mkdirSync(join(rustlib, "src/rust/library"), { recursive: true });
  mkdirSync(join(rustlib, "wasm32-unknown-unknown/lib"), { recursive: true });
  writeFileSync(join(rustlib, "wasm32-unknown-unknown/lib/libstd-0.rlib"), "");
  for (const [path, text] of Object.entries({
    "bin/rustc": RUSTC,
    "sysroot/bin/rustc": RUSTC,
    "bin/cargo": CARGO,
    "bin/rustup": RUSTUP,
    "bin/npm": NPM,
  })) {
    writeFileSync(join(folder, path), `#!/bin/sh${text.startsWith("\n") ? "" : "\n"}${text}\n`, { mode: 0o755 });
  }
  for (const mark of marks) writeFileSync(join(folder, mark), "");
  let clones = 0;

  async function setup(what, atOnce = 1, interrupt) {
    const clone = join(folder, `clone-${++clones}`);
    cpSync(tools, join(clone, "tools"), { recursive: true });
    writeFileSync(join(clone, "Cargo.lock"), 'name = "wasm-bindgen"\nversion = "9.9.9"\n');
    for (const name of ["package.json", "package-lock.json"]) writeFileSync(join(clone, name), "{}");
    const child = spawn("bash", [join(clone, "tools/setup"), what], {
      env: {
        PATH: [join(folder, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(":"),
        HOME: join(folder, "home"),
        AUTHSAFE_CACHE: join(folder, "cache"),
        MACHINE: folder,
        AT_ONCE: String(atOnce),
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    interrupt?.addEventListener("abort", () => child.kill("SIGTERM"));
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, output, clone };
  }

  const calls = () => {
    const path = join(folder, "calls");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
  };
  return { setup, calls, cache: join(folder, "cache") };
}

test("two clones that are set up at the same moment build each on its own, and leave one result and nothing else", async (t) => {
  const { setup, calls, cache } = machine(t, "has-fmt", "has-clippy");
  const both = await Promise.all([setup("check", 2), setup("check", 2)]);
  for (const { code, output, clone } of both) {
    assert.equal(code, 0, output);
    assert.match(readFileSync(join(clone, "target/authsafe-env.sh"), "utf8"), /AUTHSAFE_SYSROOT_SMALL=\S+-small/);
  }
  assert.ok(calls().filter((call) => call === "cargo install wasm-bindgen-cli").length === 2, calls().join());
  assert.deepEqual(readdirSync(cache).sort(), ["std", "tools"]);
  assert.deepEqual(readdirSync(join(cache, "tools/wasm-bindgen-cli-9.9.9")), ["bin"]);
  const [std, ...others] = readdirSync(join(cache, "std"));
  assert.deepEqual(others, []);
  assert.deepEqual(readdirSync(join(cache, "std", std)).sort(), ["complete", "lib"]);

  const before = calls().length;
  assert.equal((await setup("check")).code, 0);
  assert.deepEqual(calls().slice(before), [], "a third clone builds nothing");
});

test("what an interrupted setup left half done is made anew", async (t) => {
  const { setup, cache } = machine(t, "has-fmt", "has-clippy");
  mkdirSync(join(cache, "tools/wasm-bindgen-cli-9.9.9/lib"), { recursive: true });
  const { code, output } = await setup("build");
  assert.equal(code, 0, output);
  assert.deepEqual(readdirSync(join(cache, "tools/wasm-bindgen-cli-9.9.9")), ["bin"]);
});

test("a build that fails says where its log is, and leaves nothing in the cache", async (t) => {
  const { setup, cache } = machine(t, "breaks");
  const { code, output, clone } = await setup("build");
  assert.equal(code, 1);
  const log = join(clone, "target/setup-logs/wasm-bindgen-cli.log");
  assert.ok(
    output.endsWith(`cargo install wasm-bindgen-cli failed: it does not compile (the log is ${log})\n`),
    output,
  );
  assert.equal(readFileSync(log, "utf8"), "it does not compile\n");
  assert.deepEqual(readdirSync(cache), ["std"]);
});

test("a setup that is interrupted leaves nothing half done", async (t) => {
  const { setup, cache, calls } = machine(t);
  const control = new AbortController();
  // The build waits for a second one, which never comes.
  const interrupted = setup("build", 2, control.signal);
  while (!calls().length) await new Promise((resolve) => setTimeout(resolve, 20));
  control.abort();
  assert.equal((await interrupted).code, 130);
  assert.deepEqual(readdirSync(cache), []);
});

test("a rustup profile without clippy and rustfmt gets them before the checks, and not for a build", async (t) => {
  const { setup, calls } = machine(t);
  assert.equal((await setup("build")).code, 0);
  assert.ok(calls().every((call) => !call.startsWith("rustup")));
  const { code, output } = await setup("check");
  assert.equal(code, 0, output);
  assert.ok(calls().includes("rustup component add clippy rustfmt"), calls().join());
});

test("only what is missing is fetched", async (t) => {
  const { setup, calls } = machine(t, "has-clippy");
  assert.equal((await setup("check")).code, 0);
  assert.ok(calls().includes("rustup component add rustfmt"), calls().join());
});

test("where rustup cannot fetch them, the one command is printed before anything is built", async (t) => {
  const { setup, calls } = machine(t, "refuses");
  const { code, output } = await setup("check");
  assert.equal(code, 1);
  assert.match(output, /Run this, then try again:\n {2}rustup component add clippy rustfmt\n$/);
  assert.deepEqual(calls(), ["rustup component add clippy rustfmt"]);
});
