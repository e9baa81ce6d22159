// Tells the server which field was left last, so that the answer can say what is wrong with it.
// Saving itself is done by htmx from the attributes of the form.

export function rememberFields(form) {
  const left = form.querySelector("input[name=left]");
  form.addEventListener("change", (event) => (left.value = event.target.name || ""), true);

  // Once a form of the page is sent nothing is saved any more: that could come after the act, to a draft
  // that is no more. The page that the browser keeps and brings back, going backwards, saves again.
  let leaving = false;
  document.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (defaultPrevented || target.closest("header")) return;
    leaving = true;
    form.dispatchEvent(new CustomEvent("htmx:abort"));
  });
  window.addEventListener("pageshow", ({ persisted }) => (leaving &&= !persisted));

  // A request that waited for the one before it sends the present contents of the form.
  form.addEventListener("htmx:before:request", (event) => {
    if (leaving) return event.preventDefault();
    event.detail.ctx.request.body = new URLSearchParams(new FormData(form));
    for (const field of form.querySelectorAll("[hx-morph-skip]")) field.removeAttribute("hx-morph-skip");
    form.dispatchEvent(new CustomEvent("medcab:sending"));
  });
  document.addEventListener("htmx:after:request", ({ detail }) => {
    if (detail.ctx.response.status === 200) form.dispatchEvent(new CustomEvent("medcab:sent"));
  });

  // The answer draws a field as it was sent. A field typed into since then is left alone.
  form.addEventListener("input", (event) => event.target.setAttribute("hx-morph-skip", ""));

  const note = () => document.getElementById("saved-note");
  document.addEventListener("htmx:error", () => {
    if (note()) note().textContent = form.dataset.wordsFailed;
  });
  document.addEventListener("htmx:response:error", () => {
    if (note()) note().textContent = form.dataset.wordsRefused;
  });
}
