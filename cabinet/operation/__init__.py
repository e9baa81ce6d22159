"""Pages of ops and of information security."""
