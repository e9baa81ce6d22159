// Asks an address again and again for what is new, with the ETag of what is shown: `soon` milliseconds
// after a change, and at longer intervals up to `every` while nothing changes. A server that is down is
// asked more rarely, a hidden page asks nothing, and a session that has ended ends the questions.

import { unasked } from "./sending.js";

const EVERY = 4000;
const AT_MOST = 60000;

export function poll(address, tag, show, { soon = EVERY, start = 0 } = {}) {
  let pause = soon / 2;

  async function ask() {
    if (document.hidden) return;
    const answer = await unasked(address(), tag);
    if (!answer || answer.status >= 500 || answer.status === 429) {
      pause = Math.min(pause * 2, AT_MOST);
      return;
    }
    if (answer.status === 401 || answer.status === 404 || answer.redirected) {
      pause = 0;
      return;
    }
    pause = Math.min(pause * 2, EVERY);
    if (answer.status !== 200) return;
    const fresh = answer.headers.get("ETag") || tag;
    if (fresh !== tag) pause = soon;
    tag = fresh;
    show(answer.text);
  }

  async function turn() {
    await ask();
    if (pause) setTimeout(turn, pause);
  }

  setTimeout(turn, start);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && pause) ask();
  });
}
