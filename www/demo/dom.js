/** The few lines of DOM work that everything here shares. Text goes in as text nodes only, so nothing has to be escaped. */

/** The element with this id, which index.html must have. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html lacks #${id}`);
  return element;
}

/**
 * Makes an element. `props` are attributes, except functions, which become listeners (`onclick`), and `dataset`.
 * @param {string} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | null | undefined)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text only where it differs: a live region that is rewritten is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows `text` in an element that is hidden without one. */
export function showOrHide(element, text) {
  setText(element, text ?? "");
  element.hidden = !text;
}

/** Nodes for a sentence in which names stand between backticks, as authsafe writes its notes and hints. */
export function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

/** Says something to screen readers once. Meant for what a person waits for, not for everything that happens. */
export function announce(text) {
  const announcer = byId("announcer");
  // The same sentence twice in a row would not be a change, and so not be read.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}

/** `14:03:27`, by the device's clock and zone. */
export function clockTime(date = new Date()) {
  return date.toLocaleTimeString("en-GB", { hour12: false });
}

/** `87` → `1:27`; below a minute `27 s`; from an hour on `1:00:27`. */
export function duration(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (hours > 0) return `${hours}:${two(minutes)}:${two(rest)}`;
  return minutes > 0 ? `${minutes}:${two(rest)}` : `${rest}\u00a0s`;
}

/** `1 call`, `50 calls`. */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

export const prefersReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
