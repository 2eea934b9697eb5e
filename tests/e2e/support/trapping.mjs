// The module that is published, but for one function: `diagnose()` stops half-way, as an internal fault would.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";

const published = fileURLToPath(new URL("../../../pkg/wasm/authsafe_bg.wasm", import.meta.url));
let bytes;

function build() {
  const module = binaryen.readBinary(readFileSync(published));
  const { value } = binaryen.getExportInfo(module.getExport("core_diagnose"));
  binaryen.Function.setBody(module.getFunction(value), module.unreachable());
  const built = Buffer.from(module.emitBinary());
  module.dispose();
  return built;
}

/** For `before` of `visit`: the page and its worker run this module. */
export async function trapping(page) {
  const address = "/bare/trapping.wasm";
  await page.route(`**${address}`, (route) =>
    route.fulfill({ contentType: "application/wasm", body: (bytes ??= build()) }),
  );
  await page.addInitScript((address) => (window.wasmSource = address), address);
}
