"""The archive: search, exports and terms of keeping, over JSON."""
