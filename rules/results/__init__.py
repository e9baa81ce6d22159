"""Results of the laboratory: who answers for each, until when, in which version it counts (W2)."""
