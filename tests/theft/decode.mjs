// Looks for secrets in what was stolen, however it is written: URL, base64, base64url, hex, UTF-16, JSON, gzip, raw bytes,
// backwards, and all of these inside each other.
import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

/** The needles (strings) that occur in `loot`, a string or bytes. */
export function findAll(loot, needles) {
  const found = new Set();
  for (const text of spellings(loot)) {
    for (const needle of needles) if (text.includes(needle)) found.add(needle);
    if (found.size === needles.length) break;
  }
  return [...found];
}

/** The verifiers in `loot` that belong to one of these challenges (RFC 7636 §4.6). */
export function findVerifiers(loot, challenges) {
  const found = new Set();
  if (!challenges.size) return found;
  for (const text of spellings(loot)) {
    for (const [run] of text.matchAll(/[A-Za-z0-9._~-]{43,128}/g)) {
      if (challenges.has(createHash("sha256").update(run).digest("base64url"))) found.add(run);
    }
  }
  return found;
}

/** `loot`, and everything that it can be decoded to. */
function* spellings(loot) {
  const seen = new Set();
  const queue = [{ value: loot, depth: 0 }];
  for (let steps = 0; queue.length && steps < MOST_STEPS; steps++) {
    const { value, depth } = queue.shift();
    const text = typeof value === "string" ? value : value.toString("latin1");
    if (text.length < 8 || seen.has(text)) continue;
    seen.add(text);
    yield text;
    // The memory of a program is looked through as it is; its parts in all spellings would take for ever.
    if (depth >= DEEPEST || (depth > 0 && text.length > LONGEST)) continue;
    const next = typeof value === "string" ? fromText(value) : fromBytes(value);
    for (const one of next) queue.push({ value: one, depth: depth + 1 });
  }
}

function fromBytes(bytes) {
  const next = [bytes.toString("utf8"), bytes.toString("utf16le"), bytes.toString("base64url"), bytes.toString("hex")];
  next.push(
    Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString("utf16le"),
  );
  for (const unpack of [gunzipSync, inflateSync, inflateRawSync, brotliDecompressSync]) {
    const unpacked = attempt(() => unpack(bytes, { maxOutputLength: 4_000_000 }));
    if (unpacked?.length) next.push(unpacked);
  }
  return next;
}

function fromText(text) {
  const next = [[...text].reverse().join("")];
  if (/%[0-9a-f]{2}/i.test(text)) next.push(text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => percent(run)));
  if (text.includes("\\u") || text.includes('\\"'))
    next.push(text.replaceAll(/\\u([0-9a-f]{4})|\\(["\\/])/gi, unescape));
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) {
    if (/^(?:[0-9a-f]{2})+$/i.test(run)) next.push(Buffer.from(run, "hex"));
    next.push(Buffer.from(run, "base64"));
  }
  for (const [run] of text.matchAll(/(?:\d{1,3}\s*,\s*){7,}\d{1,3}/g))
    next.push(Buffer.from(run.split(",").map(Number)));
  // Pieces that were put together again, such as the members of a record: a cookie that is split, a list of characters.
  const pieces = attempt(() => JSON.parse(text));
  if (pieces !== undefined) {
    const strings = collect(pieces);
    next.push(...strings);
    if (strings.length > 1) next.push(strings.join(""));
  }
  return next;
}

function collect(value, into = []) {
  if (typeof value === "string") into.push(value);
  else if (value && typeof value === "object") for (const one of Object.values(value)) collect(one, into);
  return into;
}

const percent = (run) => attempt(() => decodeURIComponent(run)) ?? run;
const unescape = (_, hex, plain) => (hex ? String.fromCharCode(Number.parseInt(hex, 16)) : plain);

function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const DEEPEST = 4;
const LONGEST = 100_000;
const MOST_STEPS = 4000;
