// Runs before the page is drawn: styles may then rely on scripts being there.
document.documentElement.classList.add("scripted");

// Texts that were sent have arrived where this page is what the act led to. They go on waiting where it comes
// between (signing in, a refusal), and where it was opened otherwise: the form never got through.
// Settled before anybody can go on from here; drafts.js keeps and gives back.
{
  const { draftKey, drafts } = document.documentElement.dataset;
  const between = !draftKey || drafts === "waiting";
  const led = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
  for (const name of Object.keys(sessionStorage).filter((one) => one.startsWith("medcab-draft "))) {
    const draft = JSON.parse(sessionStorage.getItem(name));
    if (draft.sent && led && !between) sessionStorage.removeItem(name);
    else if (draft.sent && (between || drafts !== "answer")) {
      sessionStorage.setItem(name, JSON.stringify({ ...draft, sent: false }));
    }
  }
}
