// How scripts send: what the server took comes back as `answer`, and what it did not take is told in
// `words`. A session that has ended leads to signing in and back to this page, where what was typed waits.

import { draftsWritten } from "./drafts.js";

const TOO_LONG = 120_000;

// The answer with its whole text, or null where it did not come, broke off, or took too long.
export async function whole(url, options) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TOO_LONG), ...options });
    const { ok, status, headers, redirected } = answer;
    return { ok, status, headers, redirected, text: await answer.text() };
  } catch {
    return null;
  }
}

// What a page asks by itself. The header says that nobody did anything, so the session's idle time
// goes on.
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
