// Keeps the count beside the bell up to date: asks every four seconds, and is mostly answered by 304.

import { unasked } from "./sending.js";

const EVERY = 4000;
const AT_MOST = 60000;

export function watchBell(bell) {
  const count = bell.querySelector(".count");
  let tag = `"${bell.dataset.bell}"`;
  let pause = EVERY;

  function show({ unread, words }) {
    count.hidden = !unread;
    count.replaceChildren();
    if (!unread) return;
    const said = document.createElement("span");
    said.className = "hidden-words";
    said.textContent = `${words} `;
    count.append(said, unread < 100 ? String(unread) : "99+");
  }

  async function ask() {
    if (document.hidden) return;
    const answer = await unasked("/notices/bell", tag);
    if (!answer || answer.status >= 500 || answer.status === 429) {
      pause = Math.min(pause * 2, AT_MOST);
      return;
    }
    pause = EVERY;
    if (answer.redirected || answer.status === 401) {
      pause = 0;
      return;
    }
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag") || tag;
    show(JSON.parse(answer.text));
  }

  async function turn() {
    await ask();
    if (pause) setTimeout(turn, pause);
  }

  setTimeout(turn, EVERY);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && pause) ask();
  });
}
