// Runs before the page is drawn: styles may then rely on scripts being there.
document.documentElement.classList.add("scripted");

// Settles what became of typed texts whose form was sent, before anybody can leave this page. If an act
// redirected here, they have arrived and are dropped. If this page only comes between (signing in, a
// refusal) or was opened in another way, the form may not have arrived and they count as unsent again.
// Keeping texts and giving them back is done by drafts.js.
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
