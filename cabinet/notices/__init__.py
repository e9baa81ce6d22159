"""Pages of notices, their settings and their delivery."""
