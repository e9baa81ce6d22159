"""Who is shown what: every reason that was written, on every surface, for every role."""
