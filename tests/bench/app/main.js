// The application that is measured. It is the same for every client; `bench-client` is one of clients/.
import { start } from "bench-client";

const { config } = window;
const CLICKED = "bench-clicked";
/** Comparable from one page to the next. */
const now = () => performance.timeOrigin + performance.now();

const client = await start(config);
window.client = client;
document.getElementById("sign-in").addEventListener("click", () => {
  sessionStorage.setItem(CLICKED, String(now()));
  void client.signIn();
});

if (client.signedIn()) {
  const clicked = Number(sessionStorage.getItem(CLICKED));
  if (clicked) window.signInMs = now() - clicked;
  sessionStorage.removeItem(CLICKED);
  const response = await client.request(config.resource);
  const { sub } = await response.json();
  if (sub) window.answeredMs = performance.now();
}
window.settled = true;
