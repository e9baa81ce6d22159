"""The archive: search, saved views, terms of keeping, erasure."""
