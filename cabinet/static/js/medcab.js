// The one script of every page: it loads only the scripts that the page needs.

import { keepDrafts } from "./drafts.js";
import { watchSession } from "./session.js";

// The answer to a form gets the address of the page with that form, so that it can be reloaded.
if (document.documentElement.dataset.drafts === "answer") history.replaceState(null, "", document.body.dataset.here);

// A script that could not be loaded does not stop the others.
const wired = Promise.allSettled([
  wire("[data-module]", () => import("../vendor/govuk-frontend/govuk-frontend.min.js"), ({ initAll }) => initAll()),
  wire("[data-live]", () => import("./live.js"), ({ followLive }, [region]) => followLive(region)),
  wire("[data-talk]", () => import("./conversation.js"), ({ talk }, [section]) => talk(section)),
  wire("[data-bell]", () => import("./bell.js"), ({ watchBell }, [bell]) => watchBell(bell)),
  wire("form[data-at-once]", () => import("./at-once.js"), ({ applyAtOnce }, forms) => forms.forEach(applyAtOnce)),
  wire("[data-push-key]", () => import("./push.js"), ({ offerPush }, [offer]) => offerPush(offer)),
  wire("form[data-passkey]", () => import("./passkeys.js"), ({ passkey }, forms) => forms.forEach(passkey)),
  wire("[data-upload]", () => import("./upload.js"), ({ takeFiles }) => takeFiles(document)),
  wire("[data-codes]", () => import("./codes.js"), ({ offerCodes }) => offerCodes()),
  wire("form[data-autosave]", () => import("./autosave.js"), ({ rememberFields }, [form]) => rememberFields(form)),
]);

async function wire(selector, load, use) {
  const found = [...document.querySelectorAll(selector)];
  if (found.length) use(await load(), found);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied;
  });
}
// Shows which files were chosen, beside the button that replaces the browser's own.
document.addEventListener("change", ({ target }) => {
  const said = target.type === "file" && target.parentElement.querySelector("[data-chosen]");
  if (said) said.textContent = [...target.files].map((file) => file.name).join(", ") || said.dataset.chosen;
});
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A menu closes when the person clicks elsewhere or presses Escape.
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

// A link to a question scrolls to all of it and puts the focus into its field.
window.addEventListener("load", () => {
  document.querySelector(".govuk-form-group:target :is(input, textarea, select)")?.focus({ preventScroll: true });
});

watchSession();
keepDrafts(wired);
