// Keeps the count beside the bell up to date: asks every four seconds, and is mostly answered by 304.

import { poll } from "./polling.js";

const FIRST = 4000;

export function watchBell(bell) {
  const count = bell.querySelector(".count");

  function show(answer) {
    const { unread, words } = JSON.parse(answer);
    count.hidden = !unread;
    count.replaceChildren();
    if (!unread) return;
    const said = document.createElement("span");
    said.className = "hidden-words";
    said.textContent = `${words} `;
    count.append(said, unread < 100 ? String(unread) : "99+");
  }

  poll(() => "/notices/bell", `"${bell.dataset.bell}"`, show, { start: FIRST });
}
