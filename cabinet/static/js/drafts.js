// Keeps what a person typed and has not sent, so that the end of a session, a lost connection or a
// refusal loses nothing: the same form, opened again, shows it. It is kept in this tab only, encrypted
// with a key that only this person's pages hold, so the next user of the computer cannot read it.
// Signing out removes it, and so does the first page of somebody else. Files and passwords are never kept.

const PREFIX = "medcab-draft ";
const LIFE = 12 * 3600 * 1000;
const WIRED_WITHIN = 5000;
const IDS = ["act_id", "message_id"];
const UNKEPT = "[type=hidden], [type=password], [type=file], [autocomplete=one-time-code], [data-unkept]";

const other = new BroadcastChannel("medcab");
const forms = new Map();
let writing = Promise.resolve();
let closed = false;

/** Settles when all that was typed is stored. */
export const draftsWritten = () => Promise.allSettled([...forms.values()].map((kept) => kept.write()));

/** Begin to keep texts; `wired` settles when the page's other scripts listen to their forms. */
export async function keepDrafts(wired) {
  const { draftKey, drafts } = document.documentElement.dataset;
  other.addEventListener("message", forgetAll);
  document.addEventListener("submit", submitted);
  if (!draftKey || !crypto.subtle) return;
  const lock = await lockOf(draftKey);
  eachDraft((name, { owner, at }) => {
    if (owner !== lock.owner || Date.now() - at > LIFE) sessionStorage.removeItem(name);
  });
  if (document.readyState !== "complete") {
    await new Promise((loaded) => window.addEventListener("load", loaded, { once: true }));
  }
  await Promise.race([wired, new Promise((late) => setTimeout(late, WIRED_WITHIN))]);
  for (const form of document.querySelectorAll("form[method=post]")) {
    if (namesOf(form).length && !form.closest("header")) await follow(form, lock, drafts === "answer");
  }
  if (drafts === "answer") eachDraft((name, { sent }) => sent && sessionStorage.removeItem(name));
}

function eachDraft(act) {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));
  for (const name of names) act(name, JSON.parse(sessionStorage.getItem(name)));
}

const put = (name, draft) => sessionStorage.setItem(name, JSON.stringify(draft));

function forgetAll() {
  closed = true;
  eachDraft((name) => sessionStorage.removeItem(name));
}

function submitted(event) {
  const { target } = event;
  if (event.defaultPrevented) return;
  if (new URL(target.action).pathname === "/sign-out") {
    forgetAll();
    other.postMessage("signed out");
  }
  forms.get(target)?.send();
}

// The contents of a form: a list of values for each name.

const inputsOf = (form) => [...form.elements].filter((one) => one.name && !one.matches(UNKEPT));
const namesOf = (form) => [
  ...new Set(inputsOf(form).filter((one) => one.matches("input, textarea, select")).map((one) => one.name)),
];

function read(form, asDrawn = false) {
  const said = Object.create(null);
  for (const name of namesOf(form)) {
    said[name] = inputsOf(form).filter((one) => one.name === name).flatMap((one) => valuesOf(one, asDrawn));
  }
  return said;
}

function valuesOf(one, asDrawn) {
  if (one.type === "checkbox" || one.type === "radio") {
    return (asDrawn ? one.defaultChecked : one.checked) ? [one.value] : [];
  }
  if (one.matches("select")) {
    const chosen = [...one.options].filter((option) => (asDrawn ? option.defaultSelected : option.selected));
    return (chosen.length || one.multiple ? chosen : [...one.options].slice(0, 1)).map((option) => option.value);
  }
  return [asDrawn ? one.defaultValue : one.value];
}

function write(form, name, values, told) {
  const inputs = inputsOf(form).filter((one) => one.name === name);
  const texts = [...values];
  for (const one of inputs) {
    if (one.type === "checkbox" || one.type === "radio") one.checked = values.includes(one.value);
    else if (one.matches("select")) {
      for (const option of one.options) option.selected = values.includes(option.value);
    } else one.value = texts.shift() ?? "";
  }
  const changed = inputs.find((one) => one.checked) || inputs[0];
  for (const kind of told) changed.dispatchEvent(new Event(kind, { bubbles: true }));
}

// Checkboxes are given back one by one, so that those changed elsewhere meanwhile stay as they are.
const isBoxes = (form, name) => inputsOf(form).some((one) => one.name === name && one.type === "checkbox");
const merged = (now, was, drawn) => [
  ...drawn.filter((value) => now.includes(value) || !was.includes(value)),
  ...now.filter((value) => !was.includes(value) && !drawn.includes(value)),
];

const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);

// One form: at each change, store what differs from what the server drew, until it is sent.

async function follow(form, lock, answers) {
  const name = PREFIX + new URL(form.action).pathname;
  const drawn = read(form, true);
  let sent = false;

  async function keep() {
    if (closed) return;
    const now = read(form);
    const changed = Object.keys(now).filter((key) => !same(now[key], drawn[key]));
    if (!changed.length) {
      sessionStorage.removeItem(name);
      return;
    }
    const fields = Object.fromEntries(changed.map((key) => [key, { now: now[key], was: drawn[key] }]));
    const ids = Object.fromEntries(IDS.map((id) => [id, form.elements[id]?.value]));
    const sealed = await lock.seal({ fields, ids });
    if (!closed) put(name, { owner: lock.owner, at: Date.now(), sent, sealed });
  }

  const kept = {
    write: () => (writing = writing.then(keep, keep)),
    send() {
      sent = true;
      kept.write();
    },
  };

  const stored = sessionStorage.getItem(name);
  const draft = stored && (await lock.open(JSON.parse(stored).sealed));
  if (draft && answers && JSON.parse(stored).sent) redrawn(draft);
  else if (draft) giveBack(draft);
  forms.set(form, kept);
  for (const kind of ["input", "change"]) form.addEventListener(kind, kept.write);
  let sending = Object.create(null);
  form.addEventListener("medcab:sending", () => (sending = read(form)));
  form.addEventListener("medcab:sent", () => {
    Object.assign(drawn, sending);
    kept.write();
  });
  await kept.write();

  // The answer to a refused form shows it as it was sent. If nothing of that is shown, all was taken.
  function redrawn({ fields }) {
    const held = Object.entries(fields).filter(([key]) => key in drawn);
    if (!held.some(([key, { now }]) => same(now, drawn[key]))) return;
    for (const [key, { was }] of held) drawn[key] = was;
  }

  function giveBack({ fields, ids }) {
    const untouched = read(form);
    const back = Object.entries(fields)
      .filter(([key]) => key in drawn && same(untouched[key], drawn[key]))
      .map(([key, { now, was }]) => [key, isBoxes(form, key) ? merged(now, was, drawn[key]) : now, was])
      .filter(([key, now]) => !same(now, drawn[key]));
    if (!back.length) return;
    const stale = back.some(([key, , was]) => !same(was, drawn[key]));
    for (const id of IDS) if (ids[id] && form.elements[id]) form.elements[id].value = ids[id];
    // A form that saves by itself saves what was given back, and says so. Where something else was
    // saved meanwhile, it waits for the person to decide.
    const saves = form.matches("[data-at-once], [data-autosave]");
    for (const [key, now] of back) write(form, key, now, saves && stale ? ["input"] : ["input", "change"]);
    form.dispatchEvent(new CustomEvent("medcab:given-back"));
    if (stale || !saves) tell(stale ? "draft-stale" : "draft-back");
  }

  function tell(words) {
    const said = document.getElementById(words).content.firstElementChild.cloneNode(true);
    said.querySelector("button").addEventListener("click", () => {
      form.reset();
      closed = true;
      sessionStorage.removeItem(name);
      document.dispatchEvent(new CustomEvent("medcab:leaving"));
      location.reload();
    });
    form.before(said);
  }
}

// Encryption: AES-GCM with the key on the person's pages. A digest of the key tells whose texts they are.

async function lockOf(secret) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", textOf(`key ${secret}`)));
  const owner = coded(new Uint8Array(await crypto.subtle.digest("SHA-256", textOf(`owner ${secret}`))));
  const key = await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
  return {
    owner,
    async seal(content) {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, textOf(JSON.stringify(content)));
      return { iv: coded(iv), data: coded(new Uint8Array(data)) };
    },
    async open({ iv, data }) {
      const plain = await crypto.subtle
        .decrypt({ name: "AES-GCM", iv: decoded(iv) }, key, decoded(data))
        .catch(() => null);
      return plain && JSON.parse(new TextDecoder().decode(plain));
    },
  };
}

const textOf = (text) => new TextEncoder().encode(text);
const coded = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const decoded = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
