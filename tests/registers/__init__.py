"""The comparison with state registers."""
