"""The desk: queue, review of a case, several at once, the team."""
