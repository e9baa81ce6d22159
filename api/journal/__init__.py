"""The audit: one's own log, the search, and the self-check."""
