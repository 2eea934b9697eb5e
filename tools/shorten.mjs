// shorten.mjs PATH: gives short names to what PATH_bg.wasm and PATH.js call each other by. Those that wasm-bindgen makes end in a hash
// each, which no compression makes smaller. WebAssembly Core Specification §5.5 (binary format, modules).
import { readFileSync, writeFileSync } from "node:fs";

const [, , path] = process.argv;
const wasm = readFileSync(`${path}_bg.wasm`);
const glue = readFileSync(`${path}.js`, "utf8");

const MADE = /^(?:__wbg_\w+_[0-9a-f]{16}|__wbindgen_generic_\d{16}|wasm_bindgen_[0-9a-f]{16}_\w+)$/;
const [CUSTOM, IMPORT, EXPORT] = [0, 2, 7];
const HEADER = 8;

const short = new Map();
const shorten = (name) => {
  if (!MADE.test(name)) return name;
  if (!short.has(name)) short.set(name, `_${short.size.toString(36)}`);
  return short.get(name);
};

let at = HEADER;

/** An unsigned LEB128 number. §5.2.2 */
function number() {
  let [value, shift, byte] = [0, 0, 0];
  do {
    byte = wasm[at++];
    value += (byte & 127) * 2 ** shift;
    shift += 7;
  } while (byte & 128);
  return value;
}

function written(value) {
  const bytes = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value >>>= 7;
  } while (value);
  return Buffer.from(bytes);
}

function name() {
  const length = number();
  return wasm.toString("utf8", at, (at += length));
}

const named = (text) => Buffer.concat([written(Buffer.byteLength(text)), Buffer.from(text)]);

/** What `skip` passes over, as it is. */
function same(skip) {
  const begin = at;
  skip();
  return wasm.subarray(begin, at);
}

const limits = () => {
  const flags = wasm[at++];
  number();
  if (flags & 1) number();
};

/** What is imported. §5.5.5 */
const imported = [() => number(), () => (at++, limits()), () => limits(), () => (at += 2)];

const sections = [wasm.subarray(0, HEADER)];
while (at < wasm.length) {
  const begin = at;
  const id = wasm[at++];
  const end = number() + at;
  if (id === IMPORT || id === EXPORT) {
    const count = number();
    const parts = [written(count)];
    for (let each = 0; each < count; each++) {
      if (id === IMPORT) parts.push(named(name()));
      parts.push(named(shorten(name())));
      parts.push(same(() => (id === IMPORT ? imported[wasm[at++]]() : (at++, number()))));
    }
    if (at !== end) throw new Error(`${path}_bg.wasm is not what was expected`);
    const body = Buffer.concat(parts);
    sections.push(Buffer.from([id]), written(body.length), body);
  } else {
    if (id === CUSTOM) throw new Error(`${path}_bg.wasm has a custom section, which may name what is shortened`);
    sections.push(wasm.subarray(begin, end));
  }
  at = end;
}
if (!short.size) throw new Error(`${path}_bg.wasm has no names of wasm-bindgen's`);

const used = new Set();
const replaced = glue.replace(/\b\w+\b/g, (word) => {
  if (!short.has(word)) {
    if (/^_[0-9a-z]{1,2}$/.test(word)) throw new Error(`${path}.js has a name that is as short: ${word}`);
    return word;
  }
  used.add(word);
  return short.get(word);
});
for (const each of short.keys()) if (!used.has(each)) throw new Error(`${path}.js does not name ${each}`);
writeFileSync(`${path}_bg.wasm`, Buffer.concat(sections));
writeFileSync(`${path}.js`, replaced);
