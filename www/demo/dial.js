/** The dial: how much of the credential's life is left, as an arc of ticks, a hand and a number. */
import { byId, duration, setText } from "./dom.js";

/**
 * @returns {{show(watch: Watch | null): void}} Shows a lifetime from now on; `null` where there is none to show.
 * @typedef {object} Watch
 * @property {string} id Of the client, so that a renewal can be told from a change of client.
 * @property {number} [expiresAt] Epoch seconds by the server's clock.
 * @property {number} clockSkew Server minus device clock, seconds.
 * @property {number} usual How long such a credential usually lives, seconds: the state tells its end only.
 * @property {string} label What happens at the end.
 * @property {string} ended The label after the end.
 */
export function createDial() {
  const dial = byId("dial");
  const arc = byId("dial-arc");
  const hand = byId("dial-hand");
  const number = byId("expires-in");
  const label = byId("expires-label");
  let watch = null;
  let lifetime = 0;

  const paint = () => {
    const left = watch?.expiresAt === undefined ? undefined : secondsLeft(watch);
    const share = left === undefined || lifetime <= 0 ? 0 : Math.min(1, left / lifetime);
    dial.dataset.state = left === undefined ? "idle" : left > 0 ? "running" : "ended";
    // Set through the object model: the page's policy forbids style attributes.
    arc.style.strokeDashoffset = String(100 - share * 100);
    hand.style.transform = `rotate(${share * 360}deg)`;
    number.dataset.seconds = left === undefined ? "" : String(left);
    setText(number, left === undefined ? "–" : duration(left));
    setText(label, left === undefined ? (watch?.label ?? "no session") : left > 0 ? watch.label : watch.ended);
  };

  setInterval(() => {
    if (watch && !document.hidden) paint();
  }, 250);
  document.addEventListener("visibilitychange", paint);

  return {
    show(next) {
      const renewed = watch && next && next.id === watch.id && next.expiresAt > watch.expiresAt;
      watch = next;
      if (next?.expiresAt !== undefined) lifetime = Math.max(next.usual, secondsLeft(next));
      if (renewed) pulse(dial);
      paint();
    },
  };
}

/** Whole seconds until the end by the server's clock, never below zero. */
export function secondsLeft({ expiresAt, clockSkew }) {
  return Math.max(0, Math.ceil(expiresAt - clockSkew - Date.now() / 1000));
}

function pulse(dial) {
  dial.classList.remove("renewed");
  // Reading a measure makes the browser notice that the class was gone, so that the animation starts anew.
  void dial.offsetWidth;
  dial.classList.add("renewed");
}
