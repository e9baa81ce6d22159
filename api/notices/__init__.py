"""Notices and their settings, over JSON."""
