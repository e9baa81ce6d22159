"""The institution's seal."""
