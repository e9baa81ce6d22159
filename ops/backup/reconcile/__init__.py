"""After a restore: what of the stores does not fit together, and its repair."""
