"""Exports of the archive: acts, building, rendering."""
