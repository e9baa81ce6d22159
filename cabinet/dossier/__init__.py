"""A case as it was at an earlier moment."""
