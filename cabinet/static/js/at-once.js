// Saves a form as soon as something in it changes. Each time the whole form is sent, one request after
// another, with what was saved before, so that the server sees what changed. Without this script the
// form's button sends it.

import { post } from "./sending.js";

export function applyAtOnce(form) {
  const note = document.getElementById(form.dataset.atOnce);
  let sending = Promise.resolve();

  async function send() {
    const body = new URLSearchParams(new FormData(form));
    form.dispatchEvent(new CustomEvent("medcab:sending"));
    const { answer, words } = await post(form.action, body, {
      headers: { Accept: "application/json" },
      failed: form.dataset.wordsFailed,
    });
    note.textContent = answer ? JSON.parse(answer.text).saved : words;
    note.classList.toggle("saved-note-bad", !answer);
    if (!answer) return;
    document.dispatchEvent(new CustomEvent("medcab:active"));
    form.dispatchEvent(new CustomEvent("medcab:sent"));
    for (const name of ["csrf_token", "shown"]) body.delete(name);
    form.elements.shown.value = body.toString();
  }

  form.addEventListener("change", () => {
    sending = sending.then(send);
  });
}
