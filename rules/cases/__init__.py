"""Rules of cases: processes, terms, numbers, limits."""
