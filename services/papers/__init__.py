"""Papers set by typst."""
