// Sends files one by one with visible progress, by drop, click or keyboard, and shows the verdict.
// The server answers with the finished section; without this script the plain form does the same.

const node = (tag, css, text) => {
  const made = document.createElement(tag);
  if (css) made.className = css;
  if (text) made.textContent = text;
  return made;
};

function row(file) {
  const item = node("li", "file");
  const picture = node("span", "icon");
  const words = node("div");
  const name = node("div", "file-name", file.name);
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.setAttribute("aria-label", file.name);
  const said = node("p", "file-verdict muted");
  words.append(name, bar, said);
  item.append(picture, words);
  return { item, bar, said };
}

function refuse(shown, problem, remedy) {
  shown.item.classList.add("file-bad");
  shown.bar.remove();
  shown.said.classList.remove("muted");
  shown.said.replaceChildren(node("strong", "", problem), document.createTextNode(` ${remedy}`));
}

function send(form, file, shown) {
  const words = form.dataset;
  return new Promise((resolve) => {
    const body = new FormData(form);
    body.delete("file");
    body.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "upload");
    request.setRequestHeader("X-CSRF-Token", form.elements.csrf_token.value);
    request.responseType = "text";
    request.upload.addEventListener("progress", (event) => {
      const done = Math.round((100 * event.loaded) / event.total);
      shown.bar.value = done;
      shown.said.textContent = done < 100 ? `${words.wordsSending}: ${done} %` : words.wordsChecking;
    });
    request.addEventListener("load", () => {
      const html = (request.getResponseHeader("Content-Type") || "").startsWith("text/html");
      if (html && (request.status === 200 || request.status === 422)) {
        resolve(request.responseText);
      } else if (request.status === 401) {
        refuse(shown, words.wordsEnded, words.wordsSignIn);
        resolve(null);
      } else if ((request.getResponseHeader("Content-Type") || "").startsWith("application/problem")) {
        refuse(shown, words.wordsFailed, JSON.parse(request.responseText).title);
        resolve(null);
      } else {
        refuse(shown, words.wordsFailed, words.wordsAgain);
        resolve(null);
      }
    });
    request.addEventListener("error", () => {
      refuse(shown, words.wordsFailed, words.wordsAgain);
      resolve(null);
    });
    request.send(body);
    document.dispatchEvent(new CustomEvent("medcab:active"));
  });
}

async function sendAll(form, files) {
  // A new upload replaces the files refused before.
  const here = form.closest(form.dataset.swap || "form");
  for (const bad of here.querySelectorAll(".file-bad")) bad.remove();
  const limit = Number(form.dataset.limit);
  let place = form.querySelector("[data-progress]");
  const rows = files.map((file) => ({ file, ...row(file) }));
  place.append(...rows.map((shown) => shown.item));
  for (const shown of rows) {
    if (shown.file.size > limit) {
      refuse(shown, form.dataset.wordsBig, form.dataset.wordsSmaller);
      continue;
    }
    const answer = await send(form, shown.file, shown);
    if (answer === null) continue;
    shown.item.remove();
    const waiting = [...place.children];
    const parsed = new DOMParser().parseFromString(answer, "text/html");
    const fresh = form.dataset.swap && parsed.querySelector(form.dataset.swap);
    if (!fresh) {
      location.reload();
      return;
    }
    const old = document.querySelector(form.dataset.swap);
    const refused = [...old.querySelectorAll(".file-bad")].filter((bad) => !place.contains(bad));
    const made = document.importNode(fresh, true);
    old.replaceWith(made);
    form = made.querySelector("[data-upload]");
    if (!form) return;
    place = form.querySelector("[data-progress]");
    place.append(...refused, ...waiting);
    takeFiles(made);
  }
  document.querySelector(form.dataset.swap)?.querySelector("input[type=file]")?.focus();
}

export function takeFiles(root) {
  for (const form of root.querySelectorAll("[data-upload]")) {
    const input = form.querySelector("input[type=file]");
    const area = form.querySelector(".drop");
    const begin = (list) => {
      const files = [...list];
      input.value = "";
      if (files.length) sendAll(form, input.multiple ? files : files.slice(0, 1));
    };
    input.addEventListener("change", () => begin(input.files));
    area.addEventListener("dragover", (event) => {
      event.preventDefault();
      area.classList.add("drop-over");
    });
    area.addEventListener("dragleave", () => area.classList.remove("drop-over"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      area.classList.remove("drop-over");
      begin(event.dataTransfer.files);
    });
  }
}
