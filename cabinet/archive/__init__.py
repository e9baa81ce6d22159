"""Pages of the archive: search, exports, terms of keeping."""
