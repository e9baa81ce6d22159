// Runs before the page is drawn: styles may then rely on scripts being there.
document.documentElement.classList.add("scripted");
