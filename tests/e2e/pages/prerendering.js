// A page that the browser has loaded ahead of its user; `window.activate()` shows it.
let prerendering = true;
Object.defineProperty(Document.prototype, "prerendering", { configurable: true, get: () => prerendering });
window.activate = () => {
  prerendering = false;
  document.dispatchEvent(new Event("prerenderingchange"));
};
