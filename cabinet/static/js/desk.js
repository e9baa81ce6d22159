// The reviewer's desk: shortcuts, checkboxes, tabs of papers, the viewer, reasons and remarks.
// Every form and link works without it. Shortcuts never decide anything, they only lead to the form.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const READING_EVERY = 20000;
const KEYS_OFF = "medcab-keys-off";

function keysAllowed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return false;
  if (localStorage.getItem(KEYS_OFF) || one("dialog[open]")) return false;
  return !event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
}

// A key does the same in the Russian layout as in the Latin one.
const PLACES = { KeyJ: "j", KeyK: "k", KeyX: "x", KeyA: "a", KeyC: "c", KeyR: "r" };
const keyOf = (event) =>
  PLACES[event.code] || { BracketLeft: "[", BracketRight: "]" }[event.code] || event.key;

// A page that is being left takes no shortcuts: on a slow connection they would act on the case left
// behind. If the person stays, because something was typed, they work again after some seconds.
const LEAVING = 8000;
let leftAt = -LEAVING;
const leaving = () => performance.now() - leftAt < LEAVING;
window.addEventListener("pageshow", () => (leftAt = -LEAVING));
document.addEventListener("click", (event) => {
  const here = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
  if (here && event.target.closest(".row-link, [data-next], [data-before]")) {
    leftAt = performance.now();
  }
});

function watchKeys(acts) {
  document.documentElement.dataset.keys = "ready";
  document.addEventListener("keydown", (event) => {
    const shifted = event.shiftKey && PLACES[event.code];
    if (leaving() || !keysAllowed(event) || shifted) return;
    const asksHelp = event.key === "?" || (event.code === "Slash" && event.shiftKey) ||
      (event.key === "," && event.code === "Slash");
    const act = asksHelp ? openKeys : acts(keyOf(event));
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function openKeys() {
  one("#keys")?.showModal();
}

function keySheet() {
  const sheet = one("#keys");
  if (!sheet) return;
  const box = one("[data-keys-switch]", sheet);
  box.checked = !localStorage.getItem(KEYS_OFF);
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  });
  for (const button of all("[data-keys-open]")) button.addEventListener("click", openKeys);
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });
}

// The queue: rows by j and k, boxes by x, the bar at the bottom.

function queue(table) {
  const links = all(".row-link", table);
  const boxes = all("tbody .tick", table);
  const row = () => document.activeElement?.closest?.("tbody tr");
  const step = (by) => {
    const at = links.indexOf(row() && one(".row-link", row()));
    const to = links[Math.min(Math.max(at + by, 0), links.length - 1)];
    to?.focus();
    to?.closest("tr").scrollIntoView({ block: "nearest" });
  };
  watchKeys((key) => ({
    j: () => step(1),
    k: () => step(-1),
    x: () => row() && one(".tick", row())?.click(),
    "/": () => one("#search-number")?.focus(),
  })[key]);

  const form = table.closest("[data-several]");
  if (!form || !boxes.length) return;
  const bar = one("[data-select-bar]", form);
  const every = one("[data-tick-all]", table);
  const button = one("[data-several-button] span", form);
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    bar?.classList.toggle("select-bar-on", count > 0);
    every.checked = count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    if (button) {
      const words = form.dataset.wordsOne.replace("{n}", count);
      button.textContent = words;
      one("[data-selected]", form).textContent = count ? words : "";
    }
  };
  every.hidden = false;
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  one("[data-untick]", form)?.addEventListener("click", () => {
    for (const box of boxes) box.checked = false;
    show();
    links[0]?.focus();
  });
  window.addEventListener("pageshow", show);
  show();
}

// Papers of a case: tabs over the panels, one shown at a time.

function tabs(root) {
  const list = one("[data-tablist]", root);
  const links = all(".tab", list);
  const panels = links.map((link) => one(link.hash));
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", list.dataset.label);
  for (const [i, link] of links.entries()) {
    link.parentElement.setAttribute("role", "presentation");
    link.setAttribute("role", "tab");
    link.id = `${panels[i].id}-handle`;
    link.setAttribute("aria-controls", panels[i].id);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", link.id);
    panels[i].removeAttribute("aria-label");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(i);
    });
  }
  panels[0].tabIndex = 0;
  list.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    choose((chosen + by + links.length) % links.length);
    links[chosen].focus();
  });

  let chosen = 0;
  function choose(i) {
    if (!links[i]) return;
    chosen = i;
    for (const [n, link] of links.entries()) {
      link.setAttribute("aria-selected", String(n === i));
      link.tabIndex = n === i ? 0 : -1;
      panels[n].hidden = n !== i;
    }
  }
  const holding = (target) => panels.findIndex((panel) => panel === target || panel.contains(target));

  for (const link of all("[data-tab-link]")) {
    link.addEventListener("click", (event) => {
      const target = one(link.hash);
      const i = target ? holding(target) : -1;
      if (i < 0) return;
      event.preventDefault();
      choose(i);
      target.scrollIntoView({ block: "nearest" });
      links[i].focus();
    });
  }
  const asked = location.hash.startsWith("#tab-") ? one(location.hash) : null;
  choose(Math.max(asked ? holding(asked) : 0, 0));
  return { choose, viewer: () => panels[chosen].viewer };
}

function viewer(panel) {
  const sheets = all(".sheet", panel);
  const area = one("[data-sheets]", panel);
  const words = one("[data-sheet-words]", panel);
  const zoomWords = one("[data-zoom-words]", panel);
  const steps = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
  let zoom = 2;
  let at = 0;

  for (const sheet of sheets) {
    sheet.addEventListener("load", () => {
      sheet.width = sheet.naturalWidth;
      sheet.height = sheet.naturalHeight;
    });
    const failed = () => {
      const said = document.createElement("p");
      said.className = "muted";
      said.textContent = sheet.dataset.failed;
      sheet.replaceWith(said);
    };
    if (sheet.complete && !sheet.naturalWidth && sheet.currentSrc) failed();
    else sheet.addEventListener("error", failed);
  }
  const tell = () => {
    if (words) words.textContent = words.dataset.sheetWords.replace("{n}", at + 1);
  };
  area.addEventListener("scroll", () => {
    const middle = area.scrollTop + area.clientHeight / 2;
    const seen = sheets.findIndex((s) => s.offsetTop - area.offsetTop + s.offsetHeight > middle);
    if (seen >= 0 && seen !== at) {
      at = seen;
      tell();
    }
  });
  function turn(by) {
    const next = Math.min(Math.max(at + by, 0), sheets.length - 1);
    if (!sheets[next]) return;
    area.scrollTop = sheets[next].offsetTop - area.offsetTop - 8;
    at = next;
    tell();
  }
  function scale(by) {
    zoom = Math.min(Math.max(zoom + by, 0), steps.length - 1);
    area.style.setProperty("--zoom", steps[zoom]);
    if (zoomWords) zoomWords.textContent = `${steps[zoom] * 100} %`;
  }
  for (const button of all("[data-sheet]", panel)) {
    button.addEventListener("click", () => turn(Number(button.dataset.sheet)));
  }
  for (const button of all("[data-zoom]", panel)) {
    button.addEventListener("click", () => scale(Number(button.dataset.zoom)));
  }
  panel.viewer = { turn, scale };
}

// The decision: ready-made reasons, where the kind has them, and remarks that appear for a clarification.

function decision(form) {
  const reason = one("[name=reason]", form);
  const stock = one("[data-stock]", form);
  const stocks = all("[data-stock] optgroup[data-outcome]", form);
  const add = one("[data-remark-add]", form);
  const chosen = () => one("[name=outcome]:checked", form)?.value;
  let offered = "";

  const narrow = () => {
    if (!stock) return;
    const picked = stock.value;
    const fitting = stocks.filter((group) => !chosen() || group.dataset.outcome === chosen());
    // Removed, not hidden: not every browser can hide a group of options.
    stock.replaceChildren(stock.options[0], ...fitting);
    stock.value = picked;
    if (stock.selectedIndex < 0) stock.value = "";
  };
  stock?.addEventListener("change", () => {
    const text = stock.selectedOptions[0]?.dataset.text;
    if (!text) return;
    const typed = reason.value.trim();
    reason.value = !typed || typed === offered ? text : `${typed}\n${text}`;
    offered = text;
    reason.dispatchEvent(new Event("input", { bubbles: true }));
    reason.focus();
  });
  for (const radio of all("[name=outcome]", form)) radio.addEventListener("change", narrow);
  narrow();

  const open = (name) => {
    const row = one(`[data-remark="${name}"]`, form);
    if (!row) return;
    row.classList.add("remark-used");
    one("textarea", row).focus();
  };
  add?.addEventListener("change", () => {
    if (add.value) open(add.value);
    add.value = "";
  });
  for (const button of all("[data-remark-remove]", form)) {
    button.addEventListener("click", () => {
      const row = button.closest("[data-remark]");
      one("textarea", row).value = "";
      row.classList.remove("remark-used");
      add?.focus();
    });
  }
  for (const button of all("[data-remark-to]")) {
    button.addEventListener("click", () => {
      choose("clarify", false);
      open(button.dataset.remarkTo);
    });
  }

  form.addEventListener("medcab:given-back", () => {
    for (const row of all("[data-remark]", form)) {
      row.classList.toggle("remark-used", Boolean(one("textarea", row).value));
    }
  });

  const counted = one("[data-checks-count]", form);
  const count = () => {
    const answered = all("[name^='check.']:checked", form).length;
    if (counted) counted.textContent = counted.dataset.words.replace("{n}", answered);
  };
  form.addEventListener("change", count);
  count();

  // The usual approval in one click. Removing a confirmation also removes the choice to approve.
  const say = (text) => {
    reason.value = offered = text;
    reason.dispatchEvent(new Event("input", { bubbles: true }));
  };
  one("[data-fits]", form)?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const box of all("[name^='check.']", form)) box.checked = true;
    choose("approve", false);
    const usual = one("[data-stock] [data-outcome=approve] option", form);
    if (usual && !reason.value.trim()) say(usual.dataset.text);
    count();
    const send = reason.value.trim() ? one(".buttons .button", form) : reason;
    send.scrollIntoView({ block: "nearest" });
    send.focus();
  });
  form.addEventListener("change", ({ target }) => {
    if (!target.name?.startsWith("check.") || target.checked || chosen() !== "approve") return;
    one("#outcome-approve", form).checked = false;
    if (reason.value.trim() === offered) say("");
    narrow();
  });

  // Enter in a field would press the form's first button, which is not the one that decides.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });

  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("submit", () => (touched = false));
  document.addEventListener("medcab:leaving", () => (touched = false));
  window.addEventListener("beforeunload", (event) => {
    if (touched) event.preventDefault();
  });

  function choose(value, thenReason = true) {
    const radio = one(`#outcome-${value}`, form);
    if (!radio) return;
    radio.checked = true;
    touched = true;
    narrow();
    form.scrollIntoView({ block: "nearest" });
    if (thenReason) (value === "clarify" && add ? add : reason).focus();
  }
  return { choose };
}

// The answer to a request: typed text is not lost by accident.

function answering(form) {
  const text = one("textarea", form);
  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("submit", () => (touched = false));
  document.addEventListener("medcab:leaving", () => (touched = false));
  window.addEventListener("beforeunload", (event) => {
    if (touched) event.preventDefault();
  });
  return { choose: chooser(form, () => text.focus()) };
}

function chooser(form, then) {
  const choose = (value) => {
    const radio = one(`#outcome-${value}`, form);
    if (!radio) return;
    radio.checked = true;
    form.scrollIntoView({ block: "nearest" });
    then();
  };
  return choose;
}

// Reports that the case is open, so that colleagues see it. This does not prolong the session.

function tellReading(region) {
  const say = () => {
    if (document.hidden) return;
    const headers = { "X-Medcab-Background": "1", "X-CSRF-Token": region.dataset.csrf };
    fetch(region.dataset.reading, { method: "POST", headers }).catch(() => null);
  };
  say();
  setInterval(say, READING_EVERY);
  document.addEventListener("visibilitychange", say);
}

function casePage(region) {
  tellReading(region);
  for (const panel of all("[data-viewer]")) viewer(panel);
  const papers = one("[data-tabs]") && tabs(one("[data-tabs]"));
  const form = one("[data-decision]");
  const decide = form && decision(form);
  const answer = one("[data-answer]") && answering(one("[data-answer]"));
  const follow = (selector) => one(selector) && (() => one(selector).click());
  watchKeys((key) => {
    if (answer && "ar".includes(key)) return () => answer.choose({ a: "answer", r: "refuse" }[key]);
    if (!papers && !"jk".includes(key)) return undefined;
    if (/^[1-9]$/.test(key)) return () => papers.choose(Number(key) - 1);
    return {
      j: follow("[data-next]"),
      k: follow("[data-before]"),
      "[": () => papers.viewer()?.turn(-1),
      "]": () => papers.viewer()?.turn(1),
      "+": () => papers.viewer()?.scale(1),
      "=": () => papers.viewer()?.scale(1),
      "-": () => papers.viewer()?.scale(-1),
      // A form offers one of these.
      a: decide && (() => ["approve", "confirm_access"].forEach((one) => decide.choose(one))),
      c: decide && (() => decide.choose("clarify")),
      r: decide && (() => decide.choose("reject")),
    }[key];
  });
}

// Empty filters stay out of the address.

for (const form of all("[data-filters]")) {
  form.addEventListener("submit", () => {
    for (const input of form.elements) if (input.name && !input.value) input.disabled = true;
  });
}

keySheet();
if (one("[data-reading]")) casePage(one("[data-reading]"));
else if (one("[data-decision]")) decision(one("[data-decision]"));
for (const table of all("[data-rows]")) queue(table);
