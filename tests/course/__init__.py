"""The course on protecting data."""
