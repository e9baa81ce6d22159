"""Review of cases: decisions and the clock of a review."""
