// How scripts send: what the server took comes back as `answer`, and what it did not take is told in
// `words`. A session that has ended leads to signing in and back to this page, where what was typed waits.

import { draftsWritten } from "./drafts.js";

export async function post(url, body, { headers = {}, failed } = {}) {
  const { wordsFailed, wordsOffline } = document.body.dataset;
  const sent = { "X-Requested-With": "script", ...headers };
  const answer = await fetch(url, { method: "POST", headers: sent, body }).catch(() => null);
  if (!answer) return { words: wordsOffline };
  if (answer.status === 401) {
    await leaveToSignIn();
    return { words: "" };
  }
  if (answer.ok) return { answer };
  return { words: (await reasonOf(answer)) || failed || wordsFailed };
}

async function reasonOf(answer) {
  const kind = answer.headers.get("Content-Type") || "";
  if (kind.startsWith("application/problem+json")) return (await answer.json()).title;
  return kind.startsWith("text/plain") ? answer.text() : "";
}

export async function leaveToSignIn() {
  document.dispatchEvent(new CustomEvent("medcab:leaving"));
  await draftsWritten();
  const back = location.pathname + location.search;
  location.assign(`/sign-in?expired=1&next=${encodeURIComponent(back)}`);
}
