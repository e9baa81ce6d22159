"""A case as a whole: its page, paper, receipt and archive file."""
