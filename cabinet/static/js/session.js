// Warns two minutes before the session ends for inactivity, and leads to signing in when it has ended.
// Only what a person does counts: requests that a page makes by itself do not prolong the session.

import { leaveToSignIn, post } from "./sending.js";

const WARN_BEFORE = 120;
const TOLD_EVERY = 60000;
const KEY = "medcab-active-at";

export function watchSession() {
  const idle = Number(document.body.dataset.idleSeconds || 0);
  const box = document.getElementById("expiry");
  if (!idle || !box) return;
  const left = document.getElementById("expiry-left");
  const stay = document.getElementById("expiry-stay");
  let shownAt = 0;
  let leaving = false;

  const activeAt = () => Number(localStorage.getItem(KEY));
  const active = () => localStorage.setItem(KEY, String(Date.now()));
  const remaining = () => idle - (Date.now() - activeAt()) / 1000;
  const types = () => document.activeElement?.matches("input, textarea, select");

  active();
  document.addEventListener("htmx:after:request", active);
  document.addEventListener("medcab:active", active);

  async function prolong() {
    const body = new URLSearchParams({ csrf_token: stay.dataset.csrf });
    const { answer } = await post(stay.dataset.url, body);
    if (answer) {
      active();
      tick();
    }
  }

  stay.addEventListener("click", prolong);

  // Typing counts as activity, though nothing is sent yet: once a minute the server is told.
  let toldAt = Date.now();
  document.addEventListener("input", (event) => {
    if (!event.isTrusted || Date.now() - Math.max(toldAt, activeAt()) < TOLD_EVERY) return;
    toldAt = Date.now();
    prolong();
  });

  function tick() {
    const seconds = Math.ceil(remaining());
    if (seconds <= 0) {
      if (!leaving) leaveToSignIn();
      leaving = true;
      return;
    }
    const warn = seconds <= WARN_BEFORE;
    if (warn) {
      left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }
    if (warn && box.hidden) {
      // A person who types keeps the focus; a screen reader reads the warning out all the same.
      box.setAttribute("role", types() ? "alert" : "alertdialog");
      box.hidden = false;
      shownAt = Date.now();
      if (!types()) stay.focus();
    } else if (!warn && !box.hidden && Date.now() > shownAt) {
      box.hidden = true;
    }
  }
  setInterval(tick, 1000);
}
