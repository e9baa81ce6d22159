"""Bringing an installation back from a backup."""
