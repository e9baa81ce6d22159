// How scripts send a form: an accepted request gives the `answer`, a refused one gives the reason in
// `words`. When the session has ended, the person signs in and returns to this page with the typed text.

import { draftsWritten } from "./drafts.js";

const TOO_LONG = 120_000;

// The answer with its whole text, or null when it did not come, broke off, or took too long.
async function whole(url, options) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TOO_LONG), ...options });
    const { ok, status, headers, redirected } = answer;
    return { ok, status, headers, redirected, text: await answer.text() };
  } catch {
    return null;
  }
}

// A request that the page makes by itself. Its header says so, and the session's idle time goes on.
export function unasked(url, tag) {
  const headers = { "X-Medcab-Background": "1", "If-None-Match": tag };
  return whole(url, { headers, cache: "no-store" });
}

export async function post(url, body, { headers = {}, failed } = {}) {
  const { wordsFailed, wordsOffline } = document.body.dataset;
  const sent = { "X-Requested-With": "script", ...headers };
  const answer = await whole(url, { method: "POST", headers: sent, body });
  if (!answer) return { words: wordsOffline };
  if (answer.status === 401) {
    await leaveToSignIn();
    return { words: "" };
  }
  if (answer.ok) return { answer };
  return { words: reasonOf(answer) || failed || wordsFailed };
}

function reasonOf(answer) {
  const kind = answer.headers.get("Content-Type") || "";
  if (kind.startsWith("application/problem+json")) return JSON.parse(answer.text).title;
  return kind.startsWith("text/plain") ? answer.text : "";
}

export async function leaveToSignIn() {
  document.dispatchEvent(new CustomEvent("medcab:leaving"));
  await draftsWritten();
  const back = location.pathname + location.search;
  location.assign(`/sign-in?expired=1&next=${encodeURIComponent(back)}`);
}
