// The one script of every page: it starts only what the page has a use for.

import { keepDrafts } from "./drafts.js";
import { watchSession } from "./session.js";

// A page that answers a form stands under the address of the page whose form it was, which can be
// opened again.
if (document.documentElement.dataset.drafts === "answer") history.replaceState(null, "", document.body.dataset.here);

const here = (selector) => document.querySelector(selector) !== null;

if (here("[data-module]")) {
  const { initAll } = await import("../vendor/govuk-frontend/govuk-frontend.min.js");
  initAll();
}
if (here("[data-live]")) {
  const { followLive } = await import("./live.js");
  followLive(document.querySelector("[data-live]"));
}
if (here("[data-talk]")) {
  const { talk } = await import("./conversation.js");
  talk(document.querySelector("[data-talk]"));
}
if (here("[data-bell]")) {
  const { watchBell } = await import("./bell.js");
  watchBell(document.querySelector("[data-bell]"));
}
if (here("form[data-at-once]")) {
  const { applyAtOnce } = await import("./at-once.js");
  for (const form of document.querySelectorAll("form[data-at-once]")) applyAtOnce(form);
}
if (here("[data-push-key]")) {
  const { offerPush } = await import("./push.js");
  offerPush(document.querySelector("[data-push-key]"));
}
if (here("[data-upload]")) {
  const { takeFiles } = await import("./upload.js");
  takeFiles(document);
}
if (here("form[data-autosave]")) {
  const { rememberFields } = await import("./autosave.js");
  rememberFields(document.querySelector("form[data-autosave]"));
}
if (here("[data-copy]")) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
      button.textContent = button.dataset.copied;
    });
  }
}
// Which files were chosen, beside the button that stands in for the browser's own.
document.addEventListener("change", ({ target }) => {
  const said = target.type === "file" && target.parentElement.querySelector("[data-chosen]");
  if (said) said.textContent = [...target.files].map((file) => file.name).join(", ") || said.dataset.chosen;
});
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A menu closes when the person goes elsewhere or presses Escape.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

keepDrafts();
watchSession();
