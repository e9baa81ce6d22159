// The conversation on a case: a message is sent without leaving the page, so that all else that was
// begun stays typed; and what a person who is here has seen is told as read.

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
    const answer = await send();
    if (answer?.ok && !answer.redirected) accepted(await answer.text());
    else refused(answer && answer.status < 500 && (await plain(answer)));
    busy = false;
    button.disabled = false;
    text.focus();
  });

  function send() {
    const headers = {
      "X-Requested-With": "conversation",
      "X-CSRF-Token": form.elements.csrf_token.value,
    };
    const body = new FormData(form);
    return fetch(form.action, { method: "POST", headers, body }).catch(() => null);
  }

  async function plain(answer) {
    const kind = answer.headers.get("Content-Type") || "";
    return kind.startsWith("text/plain") ? answer.text() : "";
  }

  function accepted(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const fresh of parsed.querySelectorAll("[data-live-part]")) {
      document.getElementById(fresh.id)?.replaceWith(document.importNode(fresh, true));
    }
    text.value = "";
    form.elements.file.value = "";
    form.querySelector(".files")?.remove();
    form.elements.message_id.value = crypto.randomUUID?.() || "";
    text.dispatchEvent(new Event("input"));
    document.dispatchEvent(new CustomEvent("medcab:active"));
  }

  function refused(words) {
    const said = document.createElement("p");
    said.className = "govuk-error-message comment-refused";
    said.setAttribute("role", "alert");
    said.textContent = words || form.dataset.wordsFailed;
    text.before(said);
  }
}

// Only what a person does here says that a message was read: a page that polls has read nothing.

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
