"""The state registers: which there are, what counts of what they say, and how it compares."""
