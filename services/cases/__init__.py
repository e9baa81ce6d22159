"""What all kinds of cases share: transitions, drafts, lists, wake-ups."""
