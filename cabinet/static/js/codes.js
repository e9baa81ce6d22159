// Offers codes for what is typed into a field, in the browser's own list. Without it a code can still be typed.

export function offerCodes() {
  let waits;
  let turn = 0;
  document.addEventListener("input", ({ target }) => {
    if (!target.dataset?.codes) return;
    clearTimeout(waits);
    const typed = target.value.trim();
    const mine = ++turn;
    if (typed.length < 2) return;
    waits = setTimeout(() => offer(target, typed, () => mine === turn), 200);
  });
}

async function offer(field, typed, current) {
  const answer = await fetch(`${field.dataset.codes}?query=${encodeURIComponent(typed)}`).catch(() => null);
  const list = document.getElementById(field.getAttribute("list"));
  if (!answer?.ok || !list) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (current()) list.replaceChildren(...parsed.querySelectorAll("option"));
}
