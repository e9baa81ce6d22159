// A form that holds as soon as something in it changes: sent whole, one after another, so that the
// last state wins. Without this script its button sends it.

export function applyAtOnce(form) {
  const note = document.getElementById(form.dataset.atOnce);
  let sending = Promise.resolve();

  async function send() {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
    }).catch(() => null);
    document.dispatchEvent(new CustomEvent("medcab:active"));
    const kept = answer?.ok && !answer.redirected && answer.headers.get("Content-Type")?.includes("json");
    note.textContent = kept ? (await answer.json()).saved : form.dataset.wordsFailed;
    note.classList.toggle("saved-note-bad", !kept);
  }

  form.addEventListener("change", () => {
    sending = sending.then(send);
  });
}
