"""Papers typeset by typst."""
