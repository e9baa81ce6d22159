"""The schedule over JSON."""
