// Keeps an open page up to date without a reload: polls with the ETag of what is shown, a second after
// a change, and at longer intervals while nothing changes.

import { unasked } from "./sending.js";

const SOON = 1000;
const EVERY = 4000;
const AT_MOST = 60000;

export function followLive(region) {
  const url = region.dataset.live;
  let tag = region.dataset.tag;
  let pause = SOON / 2;
  let first = true;

  async function ask() {
    if (document.hidden) return;
    // The first request also asks the running workflow, and its answer is shown.
    const answer = await unasked(first ? `${url}?ask=1` : url, tag);
    first = false;
    if (!answer || answer.status >= 500 || answer.status === 429) {
      pause = Math.min(pause * 2, AT_MOST);
      return;
    }
    if (answer.status === 401 || answer.status === 404 || answer.redirected) {
      pause = 0;
      return;
    }
    pause = Math.min(pause * 2, EVERY);
    if (answer.status !== 200) return;
    const fresh = answer.headers.get("ETag") || tag;
    if (fresh !== tag) pause = SOON;
    tag = fresh;
    show(answer.text);
  }

  function show(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const fresh of parsed.querySelectorAll("[data-live-part]")) {
      const old = document.getElementById(fresh.id);
      if (!old || old.outerHTML === fresh.outerHTML) continue;
      if (old.contains(document.activeElement) && document.activeElement !== document.body) {
        if (document.activeElement.matches("input, textarea, select")) continue;
      }
      const node = document.importNode(fresh, true);
      old.replaceWith(node);
      window.htmx?.process(node);
    }
  }

  async function turn() {
    await ask();
    if (pause) setTimeout(turn, pause);
  }

  turn();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && pause) ask();
  });
}
