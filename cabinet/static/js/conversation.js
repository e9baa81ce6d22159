// The conversation on a case. Sends a message without leaving the page, so that other forms keep what
// was typed, and reports messages as read while the person is here.

import { post } from "./sending.js";

export function talk(section) {
  const form = section.querySelector("[data-talk-form]");
  if (form) sending(form);
  reading(section);
}

function sending(form) {
  const text = form.querySelector("textarea");
  const button = form.querySelector("button");
  let busy = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.disabled = true;
    form.querySelector(".comment-refused")?.remove();
    const sent = new FormData(form);
    const { answer, words } = await send(sent);
    if (answer) accepted(answer.text, sent);
    else if (words) refused(words);
    busy = false;
    button.disabled = false;
    text.focus();
  });

  function send(message) {
    const headers = {
      "X-Requested-With": "conversation",
      "X-CSRF-Token": form.elements.csrf_token.value,
    };
    return post(form.action, message, { headers });
  }

  function accepted(html, sent) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const fresh of parsed.querySelectorAll("[data-live-part]")) {
      document.getElementById(fresh.id)?.replaceWith(document.importNode(fresh, true));
    }
    // What was typed while the message was being sent begins the next one.
    const since = text.value.startsWith(sent.get("text")) ? text.value.slice(sent.get("text").length) : text.value;
    text.value = "";
    form.elements.file.value = "";
    form.elements.file.dispatchEvent(new Event("change", { bubbles: true }));
    form.querySelector(".files")?.remove();
    form.elements.message_id.value = crypto.randomUUID?.() || "";
    for (const step of ["sending", "sent"]) form.dispatchEvent(new CustomEvent(`medcab:${step}`));
    text.value = since.trimStart();
    text.dispatchEvent(new Event("input", { bubbles: true }));
    document.dispatchEvent(new CustomEvent("medcab:active"));
  }

  function refused(words) {
    const said = document.createElement("p");
    said.className = "govuk-error-message comment-refused";
    said.setAttribute("role", "alert");
    said.textContent = words;
    text.before(said);
  }
}

// A message counts as read only after the person does something here; polling reads nothing.

function reading(section) {
  const messages = () => document.getElementById("live-comments");
  let told = messages()?.dataset.newest || "";

  function seen() {
    const newest = messages()?.dataset.newest || "";
    if (!newest || newest === told || document.hidden) return;
    const place = section.getBoundingClientRect();
    if (place.bottom < 0 || place.top > window.innerHeight) return;
    told = newest;
    const headers = { "X-CSRF-Token": section.dataset.csrf };
    const body = new URLSearchParams({ message_id: newest });
    fetch(section.dataset.read, { method: "POST", headers, body }).catch(() => {
      told = "";
    });
  }

  for (const act of ["pointerdown", "pointermove", "keydown", "scroll"]) {
    document.addEventListener(act, seen, { passive: true });
  }
}
