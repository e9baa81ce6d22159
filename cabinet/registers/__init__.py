"""The pages of the comparison with state registers."""
