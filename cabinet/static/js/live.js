// Keeps an open page up to date without a reload: polls with the ETag of what is shown, a second after
// a change, and at longer intervals while nothing changes.

import { poll } from "./polling.js";

const SOON = 1000;

export function followLive(region) {
  const url = region.dataset.live;
  let first = true;

  // The first request also asks the running workflow, and its answer is shown.
  function address() {
    const asked = first ? `${url}?ask=1` : url;
    first = false;
    return asked;
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

  poll(address, region.dataset.tag, show, { soon: SOON });
}
