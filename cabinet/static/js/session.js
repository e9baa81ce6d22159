// Warns two minutes before the session ends of inactivity, and leaves when it has ended.
// Only what a person does counts: requests that a page makes by itself do not prolong anything.

const WARN_BEFORE = 120;
const KEY = "medcab-active-at";

export function watchSession() {
  const idle = Number(document.body.dataset.idleSeconds || 0);
  const box = document.getElementById("expiry");
  if (!idle || !box) return;
  const left = document.getElementById("expiry-left");
  const stay = document.getElementById("expiry-stay");
  let shownAt = 0;

  const active = () => localStorage.setItem(KEY, String(Date.now()));
  const remaining = () => idle - (Date.now() - Number(localStorage.getItem(KEY))) / 1000;
  const leave = () => {
    const back = location.pathname + location.search;
    location.assign(`/sign-in?expired=1&next=${encodeURIComponent(back)}`);
  };

  active();
  document.addEventListener("htmx:after:request", active);
  document.addEventListener("medcab:active", active);

  stay.addEventListener("click", async () => {
    const body = new URLSearchParams({ csrf_token: stay.dataset.csrf });
    const answer = await fetch(stay.dataset.url, { method: "POST", body }).catch(() => null);
    if (answer?.ok) {
      active();
      tick();
    } else if (answer) {
      leave();
    }
  });

  function tick() {
    const seconds = Math.ceil(remaining());
    if (seconds <= 0) {
      leave();
      return;
    }
    const warn = seconds <= WARN_BEFORE;
    if (warn) {
      left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }
    if (warn && box.hidden) {
      box.hidden = false;
      shownAt = Date.now();
      stay.focus();
    } else if (!warn && !box.hidden && Date.now() > shownAt) {
      box.hidden = true;
    }
  }
  setInterval(tick, 1000);
}
