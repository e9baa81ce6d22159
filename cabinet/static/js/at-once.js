// A form that holds as soon as something in it changes: sent whole, one after another, with what was
// kept before, so that the server sees what changed. Without this script its button sends it.

export function applyAtOnce(form) {
  const note = document.getElementById(form.dataset.atOnce);
  let sending = Promise.resolve();

  async function send() {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    }).catch(() => null);
    document.dispatchEvent(new CustomEvent("medcab:active"));
    const kept = answer?.ok && !answer.redirected && answer.headers.get("Content-Type")?.includes("json");
    note.textContent = kept ? (await answer.json()).saved : form.dataset.wordsFailed;
    note.classList.toggle("saved-note-bad", !kept);
    if (!kept) return;
    for (const name of ["csrf_token", "shown"]) body.delete(name);
    form.elements.shown.value = body.toString();
  }

  form.addEventListener("change", () => {
    sending = sending.then(send);
  });
}
