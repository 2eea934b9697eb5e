// Two esbuild plugins for the glue that wasm-bindgen writes, of both modules. Both make a function of it, so that an instance that stopped half-way
// can be left behind with all that belongs to it, and another one be made. `glue` also bundles it over pkg/ts/primitives.ts: the glue
// calls what the page has at that moment; after this it calls what the page had when the module was evaluated. They fail where the
// glue looks otherwise than it did when this was written, for nobody would notice a call that is left as it was.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The glue of each module, by what pkg/ts imports; the class that it exports, and whether it has all that is replaced below. */
const MODULES = {
  "./glue.js": { file: "authsafe.js", name: "Core", whole: true },
  "./jwt-glue.js": { file: "authsafe_jwt.js", name: "Jwt", whole: false },
};

/** The body of a function of the glue is replaced as a whole. */
const FUNCTIONS = {
  getArrayU8FromWasm0: "return bytesAt(wasm.memory, ptr >>> 0, len);",
  getStringFromWasm0: "return textAt(wasm.memory, ptr >>> 0, len);",
  passStringToWasm0: `
    const given = encoded(arg);
    WASM_VECTOR_LEN = lengthOf(given);
    ptr = malloc(WASM_VECTOR_LEN, 1) >>> 0;
    setBytes(bytesAt(wasm.memory, ptr, WASM_VECTOR_LEN), given);
    return ptr;`,
  handleError: `
    try {
      return Reflect.apply(f, undefined, args);
    } catch (e) {
      wasm.__wbindgen_exn_store(addToExternrefTable0(e));
    }`,
  // Only the functions above need these.
  getDataViewMemory0: undefined,
  getUint8ArrayMemory0: undefined,
  decodeText: undefined,
};

/** What is called, and what instead; by the glue of both modules, or of that whose class is named. */
const CALLS = [
  [/\barg0\.then\(/g, "then(arg0, "],
  [/\barg0\.call\(arg1\)/g, "Reflect.apply(arg0, arg1, [])"],
  [/\barg0\.call\(arg1, arg2\)/g, "Reflect.apply(arg0, arg1, [arg2])"],
  [/\barg0\.push\(/g, "push(arg0, "],
  [/\bresult\.push\(/g, "push(result, "],
  [/\barg0\[arg1( >>> 0)?\] = arg2;/g, "put(arg0, arg1$1, arg2);"],
  [/\barg0\.length\b/g, "lengthOf(arg0)"],
  [/\barg0 instanceof Uint8Array\b/g, "isBytes(arg0)"],
  [/\barg0 instanceof ArrayBuffer\b/g, "isBuffer(arg0)"],
  [/\barg0\.fill\(/g, "fillBytes(arg0, "],
  [/\bUint8Array\.prototype\.set\.call\(/g, "setBytes("],
  [/\barg0\.getRandomValues\(/g, "random("],
  [/\bPromise\.resolve\(/g, "resolved("],
  [/\bPromise\.reject\(/g, "rejected("],
  [/\bgetDataViewMemory0\(\)\.(setInt32|setFloat64)\((.*), true\);/g, "$1(wasm.memory, $2);"],
  [/\bconst mem = getDataViewMemory0\(\);/g, "const mem = wasm.memory;"],
  [/\bmem\.getUint32\((\w+), true\)/g, "getUint32(mem, $1)"],
  [
    /\bwasm\.__wbindgen_externrefs\.(get|set)\(/g,
    (_, name) => `table${name === "get" ? "Get" : "Set"}(wasm.__wbindgen_externrefs, `,
  ],
  [/\.\.\.args\);/g, "args[0], args[1]);"],
  [/\bnew WebAssembly\.Instance\(/g, "new Instance("],
  [/\bcrypto\.subtle\.verify\(/g, "verifySignature(", "Jwt"],
];

/** What must not be left of the glue's own ways to the memory and to what passes through it. */
const LEFT =
  /cachedText|cachedUint8|cachedDataView|memory\.buffer|\.then\(|\.call\(|\.push\(|\.fill\(|\.apply\(this|\.subarray\(|\.subtle\b/;

const NAMES = `Array, Error, Instance, JSON, Object, Promise, Reflect, Uint8Array, bytesAt, encoded, fillBytes, getUint32, isBuffer, isBytes, lengthOf, push, put, random,
  rejected, resolved, setBytes, setFloat64, setInt32, tableGet, tableSet, textAt, then, verifySignature`;

/** Replaces what must be there; gives what the text is then. */
function cutter(text) {
  return (pattern, replacement, optional = false) => {
    if (!optional && !text.match(pattern)) throw new Error(`the glue of wasm-bindgen has no ${pattern}`);
    text = text.replaceAll(pattern, replacement);
    return text;
  };
}

/** `instantiate()` gives what pkg/ts/core.ts calls an `Instance`, or a `JudgeInstance`. */
function makeFunction(glue, { name }) {
  const cut = cutter(glue);
  cut(new RegExp(`^export class ${name} `, "gm"), `class ${name} `);
  // What was promised to a browser API, and what is left of dead objects, must not reach the memory of a stopped instance.
  cut(/^( *const real = \(\.\.\.args\) => \{)$/gm, "$1 if (stopped) return;");
  cut(/new FinalizationRegistry\((\w+) => /g, "new FinalizationRegistry($1 => stopped || ");
  const inner = cut(/^export \{ initSync, __wbg_init as default \};\n/gm, "");
  if (/^export\b/m.test(inner)) throw new Error("the glue of wasm-bindgen exports more than was expected");
  return `export function instantiate() {
    let stopped = false;
    ${inner}
    return { ${name}, start: __wbg_init, startNow: initSync, stop() { stopped = true; } };
  }`;
}

function rewrite(glue, about) {
  const cut = cutter(glue);
  for (const [name, body] of Object.entries(FUNCTIONS)) {
    const pattern = new RegExp(`^function ${name}\\((.*)\\) \\{\\n[^]*?\\n\\}\\n`, "gm");
    cut(
      pattern,
      (_, given) => {
        if (body === undefined) return "";
        const local = name === "passStringToWasm0" ? "let ptr;" : "";
        return `function ${name}(${given}) {${local} ${body} }\n`;
      },
      !about.whole,
    );
  }
  cut(/^let cached(DataView|Uint8Array)Memory0 = null;\n/gm, "");
  cut(/^ *cached(DataView|Uint8Array)Memory0 = null;\n/gm, "");
  cut(/^let cachedTextDecoder[^]*?(?=^let WASM_VECTOR_LEN)/gm, "");
  let text;
  for (const [pattern, replacement, name] of CALLS) {
    text = cut(pattern, replacement, name ? name !== about.name : !about.whole);
  }
  // The loading of the module happens before anything is in its memory; only one way to it is used, and for an instance that takes
  // the place of another, one that calls what was captured.
  const [, own] = text.match(/^([^]*?)^async function __wbg_load/m) ?? [];
  const left = own?.match(LEFT);
  if (!own || left) throw new Error(`the glue of wasm-bindgen still has ${left ?? "another way to load"}`);
  return `import { ${NAMES} } from "../ts/primitives.ts";\n${makeFunction(text, about)}`;
}

const plugin = (name, change) => ({
  name,
  setup(build) {
    build.onResolve({ filter: /^\.\/(jwt-)?glue\.js$/ }, ({ path }) => ({
      path: fileURLToPath(new URL(`../pkg/wasm/${MODULES[path].file}`, import.meta.url)),
      pluginData: MODULES[path],
    }));
    build.onLoad({ filter: /[\\/]wasm[\\/]authsafe(_jwt)?\.js$/ }, async ({ path, pluginData }) => ({
      contents: change(await readFile(path, "utf8"), pluginData),
      loader: "js",
    }));
  },
});

export const glue = plugin("glue", rewrite);

export const plainGlue = plugin("plain-glue", makeFunction);
