"""Review of cases: decisions and assignment."""
