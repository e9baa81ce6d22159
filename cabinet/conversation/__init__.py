"""The conversation on a case."""
