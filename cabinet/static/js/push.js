// Turns the notices of this browser on or off, and says which it is.

import { post } from "./sending.js";

const bytesOf = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
};

export async function offerPush(box) {
  const { pushKey, csrf } = box.dataset;
  const on = box.querySelector("[data-push-on]");
  const off = box.querySelector("[data-push-off]");
  const said = box.querySelector("[data-push-said]");
  const say = (name) => (said.textContent = box.dataset[name] || "");

  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    say("wordsNever");
    return;
  }
  const tell = (url, content) =>
    post(url, JSON.stringify(content), {
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    });

  let registration;
  let held;
  try {
    await navigator.serviceWorker.register("/sw.js");
    registration = await navigator.serviceWorker.ready;
    held = await registration.pushManager.getSubscription();
  } catch {
    say("wordsNever");
    return;
  }

  function show() {
    on.hidden = Boolean(held);
    off.hidden = !held;
    say(held ? "wordsOn" : "wordsOff");
  }

  on.addEventListener("click", async () => {
    if ((await Notification.requestPermission()) !== "granted") {
      say("wordsDenied");
      return;
    }
    try {
      held = await registration.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: bytesOf(pushKey),
      });
      const { answer } = await tell("/api/v1/notices/push", held.toJSON());
      if (!answer) {
        await held.unsubscribe();
        held = null;
      }
    } catch {
      held = null;
    }
    if (!held) {
      say("wordsFailed");
      return;
    }
    location.reload();
  });

  off.addEventListener("click", async () => {
    await tell("/api/v1/notices/push/forget", { endpoint: held.endpoint });
    await held.unsubscribe().catch(() => false);
    location.reload();
  });

  show();
}
