/** The code that an application would write for the current choice: the very options that the page's client was made of. */
import { announce, byId, setText } from "./dom.js";

export function createCodeView() {
  const copy = byId("copy-code");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("code").textContent);
      announce("Copied.");
      setText(copy, "Copied");
    } catch {
      announce("The browser does not allow copying.");
      setText(copy, "Not allowed");
    }
  });
  return {
    show(options, choice, address) {
      setText(byId("code"), source(options, choice, address));
      setText(copy, "Copy");
    },
  };
}

function source(options, { mode, login }, address) {
  const byRedirect = mode === "token" && login === "oidc";
  return [
    `import { createAuthClient } from "authsafe";`,
    ``,
    `const auth = createAuthClient(${literal(options)});`,
    ``,
    `auth.subscribe(showState);`,
    `await auth.init();`,
    ``,
    byRedirect ? `await auth.login();` : `await auth.login({ via: "password", username, password });`,
    `const answer = await auth.fetch(${JSON.stringify(address)});`,
  ].join("\n");
}

/** A value as the source of an object literal. Short objects stay on one line. */
function literal(value, indent = "") {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}  `;
  const parts = (inner) =>
    Array.isArray(value)
      ? value.map((item) => literal(item, inner))
      : Object.entries(value).map(
          ([name, item]) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}: ${literal(item, inner)}`,
        );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{ ", " }"];
  const oneLine = `${open}${parts("").join(", ")}${close}`;
  if (indent && oneLine.length + indent.length <= 64 && !oneLine.includes("\n")) return oneLine;
  return `${open.trim()}\n${parts(deeper)
    .map((part) => `${deeper}${part},\n`)
    .join("")}${indent}${close.trim()}`;
}
